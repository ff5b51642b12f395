namespace Puna.Training.Data.Altiplano;

/// <summary>Something is borrowed, something goes wrong with it, and it comes back. What went wrong decides how it is made good; honesty decides how hard that is.</summary>
internal sealed class BorrowedPlot : IPlot
{
    private static readonly (string Thing, string Use, string Harm, string Repair)[] Things =
    [
        ("cart", "to bring firewood home", "a wheel broke on a stone", "made a new wheel out of hard wood"),
        ("big pot", "to cook for the whole family", "it cracked over the fire", "worked for the potter and got a new one for it"),
        ("warm coat", "to cross the high pass", "a thorn tore the sleeve", "sewed the sleeve with small, even stitches"),
        ("long rope", "to tie up the load", "it broke under the weight", "twisted a new one, twice as strong"),
        ("lamp", "to look for eggs in the dark barn", "the glass fell and broke", "sold two hens and bought new glass"),
        ("knife", "to cut reeds at the lake", "the handle split", "carved a new handle with a llama's head on it"),
        ("flute", "to play at a wedding", "it fell into the river", "walked along the river until it lay there between two stones"),
        ("saddle bag", "to carry salt", "a mouse ate a hole in it", "closed the hole with a piece of red cloth"),
        ("spade", "to dig a new channel for the water", "the handle broke", "cut a new handle from a straight branch"),
        ("ladder", "to repair the roof", "a step broke", "put in a new step and made the old ones stronger"),
        ("drum", "to practise for the festival", "rain made the skin soft", "dried it by the fire until it sounded as before"),
        ("basket", "to bring fruit from the valley", "a llama stepped on it", "learned to weave and mended it with fresh reeds"),
    ];

    public string Name => "borrowed thing";

    public void Tell(Scene s)
    {
        (string thing, string use, string harm, string repair) = s.Dice.Pick<(string, string, string, string)>(Things);
        s.Narrator.Bind("x", new Word(thing));
        s.Narrator.Bind("use", new Word(use));
        s.Narrator.Bind("harm", new Word(harm));
        s.Narrator.Bind("repair", new Word(repair));
        bool shy = s.Hero.Trait.Word is "shy" or "proud" or "forgetful";
        bool began = Opening.Begin(s, shy, false, "One day, [h] needed a [x]", "[h] did not have a [x]", "\"Who can lend me a [x]?\" asked [h]", "It all began when [h] needed a [x]");
        Person owner = s.Meet("f", s.Dice.Pick("*neighbour", "*friend", "*cousin", "potter", "farmer", "herder"));
        s.OneOf(
            began ? "[h] needed it [use], so [h.he] {went to|asked} [f.o]" : "[h] {needed|had to find} a [x] [use], so [h.he] {went to|asked} [f.o]", began ? "The only one in [v] {belonged to|was in the house of} [f.o], and [h] wanted it [use]" : "[use], [h] needed a [x], and the only one in [v] {belonged to|was in the house of} [f.o]",
            "[h] {knocked at the door of|went to see} [f.o] and asked for a [x] [use]");
        s.Ask(QuestionKind.Who, "{Who lent [h.name] the [x]?|To whom did the [x] belong?}", FactKind.Owns, "[x]", "owner", owner.Name);
        s.Ask(QuestionKind.What, "What did [h.name] borrow?", FactKind.Owns, "[h.name]", "borrowed", "a [x]");
        int days = s.Dice.Between(2, 9);
        s.Narrator.Bind("days", new Word(English.Number(days, s.Narrator.Digits) + " days"));
        s.Quote("f", s.Dice.Pick("You may have it, but bring it back in [days].", "Take it. I need it again in [days].", "Of course you can have it. Please bring it back in [days]."));
        s.Ask(QuestionKind.HowMany, "In how many days did [h.name] have to bring the [x] back?", FactKind.Count, "[x]", "days lent", English.Number(days, s.Narrator.Digits), days);
        s.Maybe(50, "[h] {promised to be careful|gave [h.his] word|thanked [f.o] twice}");

        s.Paragraph();
        s.OneOf("{At first all went well|Everything went well at first}, but then [harm]", "{But|Sadly,} on the {first|second} day [harm]", "[h] {was careful|did what had to be done}, and still [harm]");
        s.Ask(QuestionKind.What, "What happened {to the [x]|while [h.name] had the [x]}?", FactKind.Cause, "[x]", "harm", harm);
        if (shy)
        {
            s.OneOf("[h] was {ashamed|afraid} and hid the [x] {under the bed|behind the house|under some straw}", "For a whole day [h] {said nothing|told nobody} and {could not eat|slept badly}", "[h] {thought of saying nothing at all|wished it had never happened}");
            s.Kin("k");
            s.Quote("k", s.Dice.Pick("A broken thing can be mended, but a lie grows.", "Tell the truth, and the rest will be easy.", "You will feel better when it is said."));
        }
        else
        {
            s.OneOf("[h] {looked at it for a long time|sat down on a stone|was very sorry}, but being sorry {mends nothing|does not mend anything}", "\"{Oh no|What now},\" [h] said. \"I gave my word.\"", "[h] did not think of {hiding it|telling a lie}");
        }

        s.OneOf("So [h] [repair]", "{The next day|The same day|Early in the morning}, [h] [repair]", "{It took a whole evening|It was not easy}, but [h] [repair]");
        s.Ask(QuestionKind.What, "What did [h.name] do to make it good?", FactKind.Deed, "[h.name]", "made good", repair);
        s.OneOf("Then [h] {brought the [x] back|took the [x] home to its owner} and told [f.o] {everything|the whole truth|what had happened}", "{After [days]|On the right day}, [h] {stood at [f.pn] door|brought the [x] back} and told the {whole |}truth");
        s.OneOf("[f] {looked at the [x]|looked at the [x] from all sides} and {smiled|nodded}", "[f] {was not angry at all|laughed|was quiet for a moment}");
        s.Quote("f", s.Dice.Pick("It is better than before.", "Now I know that I can trust you.", "Come again whenever you need something.", "You could have hidden it, but you did not."));
        Ending.Close(s, "{And so|In this way} [h] {lost nothing and won a friend|learned that the truth is lighter to carry than a secret}", "After that, {the two often lent each other things|[f] lent [h.o] everything, even the best blanket}", "{A thing that is borrowed should come back better|What you borrow, bring back}, as people say in [v]");
    }
}
