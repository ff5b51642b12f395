namespace Puna.Training.Data.Altiplano;

/// <summary>Somebody learns a craft, fails more than once for a reason, and manages in the end.</summary>
internal sealed class LearningPlot : IPlot
{
    private static readonly (string Skill, string Fail, string Reason, string Advice, string Win)[] Skills =
    [
        ("bake bread", "the bread was as hard as a stone", "the dough had not rested", "Dough is like a child. Let it sleep.", "the bread was soft and brown"),
        ("weave", "the cloth was crooked", "the threads were too loose", "Hold every thread as you hold a bird, not too loosely and not too tightly.", "the cloth was straight and fine"),
        ("make pots", "the pot fell to pieces in the fire", "the clay was still wet", "Let the sun do its part first.", "the pot came out red and whole"),
        ("play the flute", "only a squeak came out", "the breath was too strong", "Do not blow. Breathe.", "a clear tune came out"),
        ("ride a horse", "the ride ended in the mud", "the reins were too tight", "Let the animal know that you trust it.", "horse and rider crossed the whole plain"),
        ("swim", "the water came up the nose", "fear made the arms stiff", "Lie back. The water will carry you.", "ten strokes were easy"),
        ("tell stories", "everybody fell asleep", "there was no beginning and no end", "First you must see it yourself.", "nobody moved until the last word"),
        ("spin wool", "the thread broke again and again", "the wheel turned too fast", "Slow hands make long threads.", "the thread was thin and strong"),
        ("catch fish", "the net stayed empty", "the boat made too much noise", "Fish hear you before you see them.", "there were nine fish in the net"),
        ("build a wall", "the wall fell down in the night", "the big stones were on top", "Put the heavy ones first, and leave no gaps.", "the wall was still standing after a storm"),
        ("read", "the letters danced about", "the light was bad and the lines were long", "One word at a time is fast enough.", "a whole page was read aloud"),
        ("make cheese", "the milk turned sour", "the pot was not clean", "Wash everything twice.", "the cheese was white and round"),
        ("shear a llama", "the wool came off in holes", "the scissors were blunt", "Sharp scissors and a song, that is all you need.", "the wool came off in one piece"),
        ("tie a good knot", "the load fell off at every corner", "the rope went around only once", "Twice around, and then back under itself.", "the load held all the way to the market"),
    ];

    public string Name => "learning";

    public void Tell(Scene s)
    {
        (string skill, string fail, string reason, string advice, string win) = s.Dice.Pick<(string, string, string, string, string)>(Skills);
        while (s.Hero.Age != Age.Child && Knows(s.Hero.Trade.Noun, skill))
        {
            (skill, fail, reason, advice, win) = s.Dice.Pick<(string, string, string, string, string)>(Skills);
        }

        s.Narrator.Bind("skill", new Word(skill));
        s.Narrator.Bind("fail", new Word(fail));
        s.Narrator.Bind("reason", new Word(reason));
        s.Narrator.Bind("win", new Word(win));
        bool began = Opening.Begin(s, s.Hero.Trait.Word is "impatient" or "stubborn" or "patient" or "proud", false, "[h] wanted to learn to [skill]", "\"I want to learn to [skill],\" said [h]", "Everybody in [v] could [skill], and [h] wanted to [skill] too", "[h] had always dreamed of being able to [skill]");
        Person teacher = s.Dice.Chance(45) ? s.Kin("f") : s.Meet("f", s.Dice.Pick("old master", "*neighbour", "*cousin", "*cousin", "teacher"));
        if (!began)
        {
            s.OneOf("More than anything, [h] wished to [skill]", "That {[season]|year}, [h] decided to learn to [skill]", "[h] had to learn to [skill], {and the sooner the better|for the family needed it}");
        }

        s.Ask(QuestionKind.What, "What did [h.name] want to learn?", FactKind.Deed, "[h.name]", "wanted to learn", "to [skill]");
        s.OneOf("[f] {could do it better than anybody|was very good at it} and {promised to help|let [h.o] watch}", "[h] asked [f.o] for help", "{Luckily|By good luck}, [f] {knew how to do it|had a lot of patience}");
        s.Ask(QuestionKind.Who, "{Who taught [h.name]?|Who helped [h.name] to learn?}", FactKind.Deed, teacher.Known, "taught", teacher.Known);
        s.OneOf("The first time, [fail]", "[h] {began at once|started full of hope}, but [fail]", "It looked easy, but [fail]");
        s.Ask(QuestionKind.What, "What happened the first time?", FactKind.Deed, "[h.name]", "first try", fail);
        s.OneOf("The second time was {not much better|even worse|no better}{|, and the third time too}", "[h] tried again, and {again it went wrong|it was the same}", "{The neighbours|Some children|Two old men} {laughed|watched and laughed|shook their heads}");
        s.OneOf("[h] {wanted to give up|was close to tears|did not want to see anybody|went out and kicked a stone}", "\"{I will never learn it|It is too hard for me},\" said [h.n]", "{Angry|Tired and sad}, [h] sat {down on the step|behind the house}");
        s.Paragraph();
        s.OneOf("[f] {came over|sat down beside [h.o]} and saw what was wrong: [reason]", "Then [f] {looked closely|watched for a while} and found the mistake: [reason]");
        s.Ask(QuestionKind.Why, "Why did it go wrong?", FactKind.Cause, "mistake", "because", reason);
        s.Quote("f", advice);
        int tries = s.Dice.Between(3, 12);
        s.Narrator.Bind("n", new Word(English.Number(tries, s.Narrator.Digits)));
        s.OneOf("[h] tried [n] more times", "It took [n] more tries", "[h] practised for [n] days");
        s.Ask(QuestionKind.HowMany, s.Narrator.ToString().Contains("practised for " + English.Number(tries, s.Narrator.Digits), StringComparison.Ordinal) ? "How many days did [h.name] practise?" : "How many more {times|tries} did it take?", FactKind.Count, "[h.name]", "tries", "[n]", tries);
        s.OneOf("And {then|at last}, one {morning|evening}, [win]", "{In the end|Finally}, [win]", "This time [win]");
        s.OneOf("[f] {nodded|said nothing, but smiled|clapped|looked proud}", "\"{Now you can do it|There it is|I knew it},\" said [f.n]", "Even the neighbours {came to look|were quiet for once}", "[h] {jumped for joy|could hardly believe it|danced for joy}");
        Ending.Close(s, "\"{Nobody falls from the sky as a master|Every master was once a beginner},\" said [f.n]", "{Years later|Later}, [h] taught others to [skill], and {was never angry when it went wrong|always began with the mistakes}", "[h] laughed about the first try {for a long time|for years}");
    }

    /// <summary>Whether it is what such people do all day.</summary>
    private static bool Knows(string trade, string skill) => (trade, skill) is ("baker", "bake bread") or ("weaver", "weave" or "spin wool") or ("potter", "make pots") or ("herder", "make cheese" or "shear a llama" or "spin wool")
        or ("fisher", "catch fish" or "swim") or ("rope maker", "tie a good knot" or "spin wool");
}
