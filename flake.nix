{
  description = "Mission control for several coding agents working on one repository at the same time";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEachSystem = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});

      # The version is said once, in the package itself.
      version = builtins.head (
        builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ./runebook_tui/__init__.py)
      );

      libraryFor =
        pkgs:
        pkgs.python3.pkgs.buildPythonPackage {
          pname = "runebook-tui";
          inherit version;
          pyproject = true;
          src = ./.;

          build-system = [ pkgs.python3.pkgs.hatchling ];

          dependencies = with pkgs.python3.pkgs; [
            textual
            rich
            watchfiles
            pydantic
            libtmux
            markdown-it-py
            tomlkit
            regex
          ];

          pythonImportsCheck = [
            "runebook_tui"
            "runebook_agents"
          ];

          nativeCheckInputs = [
            pkgs.git
            pkgs.tmux
            pkgs.python3.pkgs.pytestCheckHook
            pkgs.python3.pkgs.pytest-asyncio
            pkgs.python3.pkgs.pytest-timeout
            pkgs.python3.pkgs.hypothesis
            pkgs.python3.pkgs.pathspec
          ];

          # A build sandbox is no place to supervise processes; `make test` runs the rest.
          enabledTestPaths = [
            "tests/orchestrator"
            "tests/history"
          ];

          meta = {
            description = "Mission control for several coding agents working on one repository";
            license = lib.licenses.mit;
            platforms = systems;
          };
        };

      # The engine starts agents with its own interpreter (`sys.executable -m runebook_tui exec`), so that
      # has to be one that knows the package: the interpreter of an environment, not the bare one.
      programFor =
        pkgs:
        let
          environment = pkgs.python3.withPackages (packages: [
            (libraryFor pkgs)
            packages.psycopg # the extra `postgres`: who has a store elsewhere cannot add it to a package of Nix
          ]);
          path = lib.makeBinPath [
            pkgs.git
            pkgs.tmux
          ];
        in
        pkgs.runCommand "runebook-tui-${version}"
          {
            nativeBuildInputs = [ pkgs.makeWrapper ];
            meta.mainProgram = "runebook-tui";
          }
          ''
            makeWrapper ${environment}/bin/runebook-tui $out/bin/runebook-tui --prefix PATH : ${path}
          '';
    in
    {
      packages = forEachSystem (pkgs: {
        default = programFor pkgs;
        library = libraryFor pkgs;
      });

      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = "${programFor pkgs}/bin/runebook-tui";
        };
      });

      devShells = forEachSystem (pkgs: {
        default = import ./shell.nix { inherit pkgs; };
      });

      checks = forEachSystem (pkgs: {
        library = libraryFor pkgs;
        version = pkgs.runCommand "runebook-tui-says-its-version" { } ''
          ${programFor pkgs}/bin/runebook-tui --version | grep -F ${lib.escapeShellArg version} > $out
        '';
      });
    };
}
