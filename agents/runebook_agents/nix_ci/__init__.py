"""Nix and CI: scaffolds the flake, shell and workflow of a repository where they are missing; checks them."""

from runebook_agents.nix_ci.agent import NixCi as NixCi
