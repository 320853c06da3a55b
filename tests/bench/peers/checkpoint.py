# SPDX-License-Identifier: Apache-2.0
"""Makes the float16 checkpoint that every tool starts from, in the work folder. See README.md."""
import protocol


def main():
    print(protocol.checkpoint(protocol.arguments(__doc__).parse_args()))


if __name__ == "__main__":
    main()
