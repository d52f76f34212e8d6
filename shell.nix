# For `nix-shell` and `nix develop`: everything that the Makefile's targets call.
{
  pkgs ? import <nixpkgs> { },
}:

pkgs.mkShell {
  packages = [
    (pkgs.python3.withPackages (
      packages: with packages; [
        textual
        rich
        watchfiles
        pydantic
        libtmux
        pathspec
        markdown-it-py
        tomlkit
        regex
        psycopg # the extra `postgres`, with the libpq of nixpkgs
        hatchling
        build
        pytest
        pytest-asyncio
        pytest-timeout
        hypothesis
        mypy
        import-linter
      ]
    ))
    pkgs.ruff
    pkgs.git
    pkgs.gnumake
    pkgs.tmux
    pkgs.postgresql # a private server for the tests of the log
  ];
}
