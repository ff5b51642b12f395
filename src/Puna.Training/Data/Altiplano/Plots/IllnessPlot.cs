namespace Puna.Training.Data.Altiplano;

/// <summary>Somebody falls ill. The illness decides what the healer needs, the thing where it grows, the way there what stands in the way.</summary>
internal sealed class IllnessPlot : IPlot
{
    private static readonly (string Ill, string Sign, string Cure, string How)[] Cases =
    [
        ("a fever", "could not eat", "bitter leaves", "boiled them into a green tea"),
        ("a bad cough", "coughed all night", "wild mint", "stirred it into warm milk"),
        ("a stomach ache", "lay in bed with a hot stone", "yellow flowers", "made a strong tea of them"),
        ("a swollen foot", "could not walk", "grey mud", "put it on the foot under a warm cloth"),
        ("a headache that would not go away", "could not bear the light", "cool green leaves", "laid them on the forehead"),
        ("sore eyes", "could hardly see", "blue flowers", "washed the eyes with the juice three times"),
        ("a bad cold", "shivered under four blankets", "wild garlic", "cooked a hot soup with it"),
        ("a toothache", "had a cheek as round as an apple", "brown roots", "cut them into small pieces to chew"),
    ];

    public string Name => "illness";

    public void Tell(Scene s)
    {
        (string ill, string sign, string cure, string how) = s.Dice.Pick<(string, string, string, string)>(Cases);
        s.Narrator.Bind("ill", new Word(ill));
        s.Narrator.Bind("sign", new Word(sign));
        s.Narrator.Bind("cure", new Word(cure));
        s.Narrator.Bind("how", new Word(how));
        bool animal = ill is "a swollen foot" or "sore eyes" && s.Dice.Chance(40);
        bool llama = s.Dice.Chance(60);
        if (llama || animal)
        {
            s.HaveLlama();
        }

        Opening.Begin(s, false, s.Bad);
        Referent patient;
        string name;
        if (animal)
        {
            patient = s.Llama!;
            name = s.Llama!.Name;
        }
        else
        {
            Person person = s.Dice.Chance(55) ? s.Kin("i") : s.Meet("i", s.Dice.Pick("*friend", "*brother", "*sister", "*neighbour"));
            patient = person;
            name = person.Known;
        }

        s.Narrator.Bind("i", patient);
        s.OneOf("{[oneday]|[oneevening]|That week}, [i.n] {had|suddenly had} [ill] and [sign]", "Then [i.n] got [ill] and [sign]", "But at home there was trouble: [i.n] had [ill] and [sign]");
        s.Ask(QuestionKind.Who, "{Who was ill?|Who was not well?}", FactKind.Person, name, "ill", name);
        s.Ask(QuestionKind.What, "What was wrong with [i.n]?", FactKind.Person, name, "illness", "[ill]");
        s.OneOf("[h] was {worried|afraid} and {did not know what to do|could not sleep}", "[h] {put a wet cloth on the sick one's head|sat there all night}, but {it did not help|in the morning nothing was better}");
        Person healer = s.Meet("d", "healer", s.Dice.Chance(60) ? Age.Old : Age.Grown);
        Place far = s.Somewhere("p", Terrain.Water, Terrain.Spring, Terrain.Height, Terrain.Plain);
        s.OneOf("So [h] {ran to|went to fetch|sent for} [d]", "In [v] there was [d], and [h] {ran there at once|hurried there}");
        s.Quote("d", s.Dice.Pick("I need [cure], but I have none left.", "Only [cure] will help, and nobody in the village has any.", "Bring me [cure], and be quick."));
        s.Ask(QuestionKind.What, "What did the healer need?", FactKind.Cause, "healer", "needed", "[cure]");
        s.Ask(QuestionKind.Who, "{Who was the healer?|What was the name of the healer?}", FactKind.Person, "healer", "name", healer.Name);
        s.OneOf("[d.n] knew where to find [cure]: [p.at], [p.hours] away", "\"Look [p.at],\" [d] said, and [h] {was already at the door|took a bag}", "The only place to look was [p]{, a walk of [p.hours]|}");
        s.Ask(QuestionKind.Where, "At which place could the cure be found?", FactKind.Place, "[cure]", "found", far.Name);
        s.Paragraph();
        if (llama && !animal)
        {
            s.OneOf("[h] {took [L.n] along|set out with [L.n]}", "[h] {put a bag on [L.n]|untied [L.n]} and {set out at once|hurried away}");
        }
        else
        {
            s.OneOf("[h] {set out at once|ran most of the way|did not stop once}", "[h] {took a stick and some bread and left|left without breakfast}");
        }

        Detail.OnTheWay(s, 60);
        Obstacle(s, far, cure == "grey mud");
        s.OneOf("{By the light of the moon|When the first star came out|Late in the evening}, [h] was back with {everything|a full bag}", "[h] came back {tired|out of breath|with tired feet}, but with a full bag");
        s.OneOf("[d] took the [cure] and [how]", "{At once|Carefully}, [d] took the [cure] and [how]");
        int days = s.Dice.Between(2, 6);
        s.Narrator.Bind("days", new Word(English.Number(days, s.Narrator.Digits)));
        s.OneOf("After [days] days [i.n] was well again", "It took [days] days, and then [i.n] was well again", "[days] days later [i.n] {got up and was hungry|was well and strong}");
        s.Ask(QuestionKind.HowMany, "After how many days was [i.n] well again?", FactKind.Count, name, "days ill", "[days]", days);
        Ending.Close(
            s, "{The healer did not want any money|[d] asked for no money}, only {a smile|a basket of eggs|a bag of corn}", "\"{The medicine did half of the work|I only did half of it},\" [d] said. \"{Your legs|You} did the rest.\"",
            "{After that|From then on}, [h] {wanted to learn about plants|helped [d] to gather plants|always kept a few dry leaves in the house}");
    }

    private static void Obstacle(Scene s, Place far, bool mud)
    {
        switch (far.Terrain)
        {
            case Terrain.Spring:
                s.OneOf("Steam rose from [p], so [h] {went on step by step|waited for the wind}", "The stones around [p] were hot and wet, and [h] {nearly slipped|had to climb over them slowly}");
                break;
            case Terrain.Water:
                s.OneOf($"[p] was {(s.World.Season == Season.Winter ? "covered with thin ice" : "wide and cold")}, so [h] {{walked around it step by step|waded in up to the knees|tied a rope to a rock before going on}}", "A flock of geese {guarded the bank|hissed}, but [h] {waited until they flew away|walked past them slowly}");
                break;
            case Terrain.Height:
                s.OneOf("The last part was steep, and {loose stones rolled under every step|[h] had to climb on hands and feet}", "A puma's {track|footprint} crossed the path, so [h] {sang loudly to feel brave|went on without a sound}", "{Half of the path had fallen away|A big rock lay across the path}, and [h] had to find another way");
                break;
            case var _ when mud:
                s.OneOf("The ground was {dry and hard|full of stones}, so [h] {dug with both hands|looked for a wet place for a long time}", "An angry bull stood in the way, so [h] {walked around in a wide circle|waited until it lay down}");
                break;
            default:
                s.OneOf("There were many plants, and they all looked alike, so [h] {smelled every one|looked at each leaf|asked an old shepherd}", "An angry bull stood in the way, so [h] {walked around in a wide circle|waited until it lay down}", "For a long time [h] found nothing {but stones|but dry grass}, and {then, under a bush, there was what the healer needed|only at the very end the right thing}");
                break;
        }
    }
}
