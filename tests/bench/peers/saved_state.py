# SPDX-License-Identifier: Apache-2.0
"""Works around a fault that AutoAWQ and llm-compressor's AWQ share on a CPU.

Their scale search saves the weights with state_dict() and .cpu(), scales and quantizes them in place for each
candidate, and restores what it saved. On a CPU .cpu() copies nothing: what it saved are the live weights, so every
candidate starts from the damage of the last, and the model that comes out is broken. For the length of the search
state_dict() therefore gives copies."""


def copy_in_search(owner, method, module_position):
    """Replaces owner.method; its argument at `module_position`, self not counted, is the module that it saves."""
    search = getattr(owner, method)

    def search_on_copies(self, *arguments):
        module = arguments[module_position]
        live = module.state_dict
        module.state_dict = lambda: {key: value.clone() for key, value in live().items()}
        try:
            return search(self, *arguments)
        finally:
            del module.state_dict

    setattr(owner, method, search_on_copies)
