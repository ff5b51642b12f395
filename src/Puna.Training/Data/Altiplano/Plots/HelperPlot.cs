namespace Puna.Training.Data.Altiplano;

/// <summary>The hero helps somebody or some animal, though it costs something; later, in need, help comes back from there.</summary>
internal sealed class HelperPlot : IPlot
{
    private static readonly (string Who, string Need, string Deed, string Return, bool Guide)[] Helped =
    [
        ("a condor", "was caught in a net", "cut the net with a knife", "circled above the right path until the way was clear", true),
        ("a fox", "had a thorn in its foot", "pulled out the thorn", "barked and led the way to the village", true),
        ("a wild vicuna", "was stuck between two rocks", "pushed the rocks apart with a beam", "ran ahead and showed a path that nobody knew", true),
        ("a stray dog", "was hungry and thin", "shared the last piece of meat", "barked so loudly that the whole village came", false),
        ("a goose", "had a broken wing", "took it home and cared for it until it could fly", "cried so loudly that the shepherds came", false),
        ("an old man", "could not carry his firewood any more", "carried the wood to his door", "came with a lamp and a strong rope", false),
        ("an old woman", "had lost her glasses in the grass", "looked for them until they were found", "came with a lamp and led the way home", true),
        ("a lost child", "was crying by the road", "brought the child home", "ran to fetch help from the village", false),
        ("a tired traveller", "had no money for bread", "gave away half a loaf of bread", "came along the road with a strong mule", false),
        ("a donkey", "was tied up without water", "brought it a full bucket", "let [h.o] hold on to its neck and carried [h.o] home", false),
    ];

    public string Name => "helper";

    public void Tell(Scene s)
    {
        (string who, string need, string deed, string back, bool guide) = s.Dice.Pick<(string, string, string, string, bool)>(Helped);
        s.Narrator.Bind("x", new Word(who));
        s.Narrator.Bind("the", new Word(who.StartsWith("an ", StringComparison.Ordinal) ? string.Concat("the ", who.AsSpan(3)) : string.Concat("the ", who.AsSpan(2))));
        s.Narrator.Bind("need", new Word(need));
        s.Narrator.Bind("deed", new Word(deed));
        s.Narrator.Bind("back", new Word(back));
        bool llama = s.Dice.Chance(40);
        if (llama)
        {
            s.HaveLlama();
        }

        Opening.Begin(s, s.Hero.Trait.Word is "generous" or "brave", false, "[day][h] was {late|in a hurry|on the way to the market}", "[day]On the road to [m], [h] {walked faster than usual|thought only of supper|sang a song}");
        Place first = s.Somewhere("p");
        s.OneOf("[oneday], [p.at], [h] saw [x]", s.Day ? "Later that day, near [p], [h] {met|came upon} [x]" : "Near [p], [h] {met|came upon} [x]", s.Day ? "That afternoon, near [p], there was [x]" : "On the way home, near [p], there was [x]");
        s.OneOf("[the] [need]", "It was easy to see that [the] [need]");
        s.Ask(QuestionKind.Who, "{Whom did [h.name] help?|Whom did [h.name] meet near [p]?}", FactKind.Deed, "[h.name]", "helped", "[x]");
        s.Ask(QuestionKind.Where, "Near which place did [h.name] meet [the]?", FactKind.Place, who, "met at", first.Name);
        s.OneOf("[h] {had little time|was in a hurry}, but {could not just walk on|stopped all the same}", "Others had walked past, but [h] {stopped|knelt down}", "[h] {thought for a moment|looked around}: there was nobody else");
        s.OneOf("So [h] [deed]", "[h] {put down [h.his] bag and|came closer and} [deed]", "{Carefully|Without a word}, [h] [deed]");
        s.Ask(QuestionKind.What, "What did [h.name] do for [the]?", FactKind.Deed, "[h.name]", "deed", deed);
        s.Maybe(50, "Because of that, [h] was late, {but it did not matter|and some people laughed about it}");
        s.Paragraph();
        int weeks = s.Dice.Between(2, 9);
        s.Narrator.Bind("w", new Word(English.Number(weeks, s.Narrator.Digits)));
        Place second = s.Somewhere("q", Terrain.Height, Terrain.Shelter, Terrain.Plain);
        string trouble = s.World.Season switch
        {
            Season.Winter => guide ? s.Bind("t", "lost the way in a snowstorm", "could not find the path under the snow") : s.Bind("t", "was caught in a snowstorm", "got stuck in deep snow"),
            Season.Rainy => guide ? s.Bind("t", "lost the way in heavy rain", "lost the path in the fog") : s.Bind("t", "sank into deep mud", "was caught in a flood", "slipped in the rain and could not get up"),
            _ => guide ? s.Bind("t", "got lost in the fog", "was surprised by the night", "lost the way") : s.Bind("t", "fell and could not get up again", "hurt a foot and could not walk", "fell and hurt a knee"),
        };
        s.OneOf("[w] weeks later, [h] [t] near [q]", "[h] had almost forgotten it when, [w] weeks later, {trouble came|it happened}: [h] [t] near [q]");
        s.Ask(QuestionKind.HowMany, "How many weeks later did [h.name] get into trouble?", FactKind.Count, "[h.name]", "weeks", "[w]", weeks);
        s.Ask(QuestionKind.Where, "Near which place did [h.name] get into trouble?", FactKind.Place, "[h.name]", "trouble near", second.Name);
        s.Fact(FactKind.Cause, "[h.name]", "trouble", trouble);
        s.OneOf("[h] called for help, but {only the wind answered|nobody heard it}", "It was getting {dark|cold}, and [h] {was afraid|thought of home}", "{An hour passed|Time passed}, and {nobody came|it grew colder}");
        s.OneOf("Then there was a {sound|shadow}: it was [the]", "And then, {who would have thought it|out of nowhere}, there was [the]", "{All at once|Suddenly}, [the] was there");
        s.OneOf("[the] [back]", "This time, [the] [back]");
        s.Ask(QuestionKind.Who, "Who helped [h.name] {in the end|in the time of need}?", FactKind.Deed, who, "helped back", "[the]");
        s.OneOf("So [h] {got home safely|was saved|came home late, but safe}", "An hour later, [h] was {sitting by the fire|safe and warm}");
        Ending.Close(s, "\"{Kindness has a long memory|What you give away comes back},\" {says an old saying in [v]|the old people said}", "[h] {never forgot it|told this story to every child in [v]}", "\"{Now we are even|Thank you},\" said [h.n], and meant it", "{After that|From then on}, [h] {never walked past anybody in need|always had time for others}");
    }
}
