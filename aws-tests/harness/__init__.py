"""What the tests on the AWS emulator share: the emulator, the stack, the upstreams, runs, and what came of them."""
