"""Names for candidates that nobody named: an adjective, an animal or thing, a number."""

import secrets

ADJECTIVES = (
    "able agile amber ample azure brave bright brisk calm candid clever crisp curious daring "
    "deft eager early earnest fair fleet fond gentle glad golden grand hardy honest humble "
    "ivory jolly keen kind lively loyal lucid mellow merry mild neat nimble noble patient "
    "placid polite proud quick quiet rapid royal serene sharp silver sincere smooth steady "
    "sunny swift tidy upbeat vivid warm wise witty zesty"
).split()
NOUNS = (
    "antelope badger beaver bison comet condor coral crane cricket dolphin eagle falcon ferret "
    "finch fox gazelle gecko glacier hare harbor hawk hedgehog heron ibex jay kestrel koala "
    "lark lemur lynx magpie maple marten meadow meteor moose newt ocelot orca osprey otter owl "
    "panda penguin petrel pine plover puffin quail raven river robin salmon seal sparrow "
    "starling stork swan tern thrush turtle walrus whale willow wren yak zebra"
).split()


def candidate_name() -> str:
    """A friendly name such as `calm-otter-412`; not unique."""
    return f"{secrets.choice(ADJECTIVES)}-{secrets.choice(NOUNS)}-{secrets.randbelow(1000)}"
