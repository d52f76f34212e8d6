# Stands in for nixpkgs, so that flake.nix can be evaluated without a network.
#
# It has only the names that flake.nix and shell.nix use, and forces every argument: a misspelt
# package, attribute or function is an error here. Whether the real nixpkgs has these names, it cannot say.
{
  outputs =
    _:
    let
      lib = {
        genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
        makeBinPath = packages: builtins.concatStringsSep ":" (map (package: "${package}/bin") packages);
        escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
        licenses.mit = "MIT";
      };

      packagesOf =
        system:
        let
          made = name: used: builtins.deepSeq used (derivation {
            inherit name system;
            builder = "/bin/sh";
            args = [ "-c" "echo > $out" ];
          });
          named = names: lib.genAttrs names (name: made name null);

          python3 = {
            withPackages = choose: made "python3-env" (choose python3.pkgs);
            pkgs = named [
              "textual"
              "rich"
              "watchfiles"
              "pydantic"
              "libtmux"
              "pathspec"
              "markdown-it-py"
              "tomlkit"
              "regex"
              "psycopg"
              "hatchling"
              "build"
              "pytest"
              "pytestCheckHook"
              "pytest-asyncio"
              "pytest-timeout"
              "hypothesis"
              "mypy"
              "import-linter"
            ] // {
              # No `...`: an argument that is not known here is an error.
              buildPythonPackage =
                { pname
                , version
                , pyproject
                , src
                , build-system
                , dependencies
                , pythonImportsCheck
                , nativeCheckInputs
                , enabledTestPaths
                , meta
                }@arguments:
                assert pyproject;
                made "${pname}-${version}" arguments;
            };
          };
        in
        named [ "git" "tmux" "gnumake" "makeWrapper" "ruff" "postgresql" ] // {
          inherit python3;
          mkShell = { packages }@arguments: made "shell" arguments;
          runCommand = name: { nativeBuildInputs ? [ ], meta ? { } }@arguments: script: made name [ arguments script ];
        };
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ] packagesOf;
    };
}
