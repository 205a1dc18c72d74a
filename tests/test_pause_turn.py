from streamchat.events import Done, Notice, Text, Usage
from tests.scripted_claude import Script, ScriptedClaude, breaks, delta, ends, says, start, streams
from tests.test_claude import a_claude, answer, text


def pauses(words: str) -> Script:
    return streams(start(), delta(words), ends("pause_turn"))


async def test_claude_is_asked_to_go_on_where_it_paused(claude: ScriptedClaude) -> None:
    """The reader gets one whole answer with the last part's ending and no repeated word."""
    claude.play(pauses("Half an answer, and then"), says("Half an answer, and then", " the rest."))
    async with a_claude(claude) as (source, waits):
        said, error = await answer(source)
    assert (text(said), error, waits) == ("Half an answer, and then the rest.", None, [])
    assert said[-1] == Done("end_turn", Usage(50, 84))
    assert [event.passing for event in said if isinstance(event, Notice)] == [True]
    assert claude.exchange(1).said[1] == ("assistant", "Half an answer, and then")


async def test_a_pause_before_the_first_word_is_asked_again(claude: ScriptedClaude) -> None:
    """Without any text the question is sent again."""
    claude.play(streams(start(), ends("pause_turn")), says("Here I am."))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("Here I am.", None)
    assert claude.exchange(1).said == [("user", "hi")]


async def test_a_pause_of_every_part_ends_as_a_pause(claude: ScriptedClaude) -> None:
    """After the last continuation the answer ends as a pause, not as a whole answer."""
    claude.play(pauses("One,"), pauses(" two,"), pauses(" three,"), pauses(" four."))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error, len(claude.exchanges)) == ("One, two, three,", None, 3)
    assert said[-1] == Done("pause_turn", Usage(75, 126))


async def test_without_continuations_a_pause_is_the_end(claude: ScriptedClaude) -> None:
    """Claude is not asked again, and the ending says that there is more."""
    claude.play(pauses("Half"))
    async with a_claude(claude, STREAMCHAT_CONTINUATIONS="0") as (source, _):
        said, _ = await answer(source)
    assert said[-1] == Done("pause_turn", Usage(25, 42))
    assert len(claude.exchanges) == 1


async def test_a_pause_and_a_break_are_counted_together(claude: ScriptedClaude) -> None:
    """Pauses and breaks share the number of continuations."""
    broken = streams(start(), delta(" two,"), breaks())
    claude.play(pauses("One,"), broken, pauses(" three,"), says(" four."))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert (text(said), len(claude.exchanges)) == ("One, two, three,", 3)


async def test_words_held_back_at_a_pause_are_shown(claude: ScriptedClaude) -> None:
    """Text that was held back as a possible repetition is shown before Claude is asked to go on."""
    claude.play(pauses("The signal is SO"), pauses("S"), says("!"))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert "".join(event.text for event in said if isinstance(event, Text)) == "The signal is SOS!"
