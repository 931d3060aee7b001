"""The comparison with other tools: see the README beside this folder."""
