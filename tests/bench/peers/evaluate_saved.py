# SPDX-License-Identifier: Apache-2.0
"""Evaluates again, by the protocol of README.md, the models that peers left in the work folder. A line of JSON each."""
import protocol


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("names", nargs="+", help="folders inside --work, such as autoawq")
    options = parser.parse_args()
    for name in options.names:
        protocol.report_saved(options.work / name, options)


if __name__ == "__main__":
    main()
