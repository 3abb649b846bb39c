"""`python -m deploy.texts` (make texts) brings the catalogues up to date and checks them, `compile` compiles."""

import sys

from deploy.texts import catalogues


def main(arguments: list[str]) -> None:
    if arguments == ["compile"]:
        catalogues.compile_all()
        return
    for file in catalogues.update():
        sys.stdout.write(f"{file.relative_to(catalogues.ROOT)}\n")
    found = [problem for file in catalogues.translations() for problem in catalogues.problems(file)]
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
