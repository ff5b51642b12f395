namespace Puna.Training.Data.Altiplano;

/// <summary>What a plot works with: a world, its hero, who else comes in, the narrator, and the truth that is kept.</summary>
internal sealed class Scene
{
    private readonly List<AltiplanoFact> _facts = [];
    private readonly List<AltiplanoQuestion> _questions = [];
    private readonly Mark _dark = new(), _day = new();

    public Scene(Dice dice)
    {
        Dice = dice;
        World = new AltiplanoWorld(dice);
        Narrator = new Narrator(dice) { Digits = dice.Chance(55) };
        Hero = World.Somebody();
        Narrator.Bind("h", Hero);
        Narrator.Bind("v", World.Home);
        Narrator.Bind("m", World.Market);
        Narrator.Bind("dark", _dark);
        Narrator.Bind("day", _day);
        Narrator.Bind("season", new Word(World.Season switch { Season.Rainy => "rainy season", var season => season.ToString().ToLowerInvariant() }));
        OnThatDay(false);
    }

    public Dice Dice { get; }

    public AltiplanoWorld World { get; }

    public Narrator Narrator { get; }

    public Person Hero { get; }

    /// <summary>The hero's llama, where the plot has one.</summary>
    public Llama? Llama { get; private set; }

    public IReadOnlyList<AltiplanoFact> Facts => _facts;

    public IReadOnlyList<AltiplanoQuestion> Questions => _questions;

    /// <summary>Whether it is night, or so early or late that the sun is not seen: told by a phrasing with <c>[dark]</c>.</summary>
    public bool Dark => _dark.Set;

    /// <summary>Whether the story speaks of one day by now: told by a phrasing with <c>[day]</c>.</summary>
    public bool Day => _day.Set || _dark.Set;

    /// <summary>Whether the llama is somewhere else when the story begins.</summary>
    public bool LlamaAway { get; set; }

    /// <summary>Whether the last thing that happens happens at night, so that no evening comes after it.</summary>
    public bool Late { get; set; }

    public bool Bad => World.Weather is Weather.Rain or Weather.Snow or Weather.Thunder or Weather.Fog;

    /// <summary>Lets phrasings say when the next thing happens (<c>oneday</c>, <c>oneevening</c>, <c>onenight</c>): on the day that the story speaks of, or on some day.</summary>
    public void OnThatDay(bool that)
    {
        string which = that ? "that" : "one";
        foreach (string time in (ReadOnlySpan<string>)["day", "evening", "night"])
        {
            Narrator.Bind("one" + time, new Word(which + " " + time));
        }
    }

    /// <summary>Gives the hero a llama, bound to <c>L</c>.</summary>
    public Llama HaveLlama(string? temper = null)
    {
        Llama = World.SomeLlama(temper);
        Llama.Introduction = Dice.Chance(50) ? "[h.p] llama [L.name]" : "[h.p] [L.colour] llama [L.name]";
        Narrator.Bind("L", Llama);
        return Llama;
    }

    /// <summary>Lets somebody with a name come in, bound to <paramref name="key"/>. A relation that begins with a star belongs to the hero: <c>her friend Ana</c>; others are <c>a trader called Ana</c>.</summary>
    public Person Meet(string key, string relation, Age? age = null, bool? female = null)
    {
        bool own = relation[0] == '*';
        string word = own ? relation[1..] : relation;
        if (word is "brother" or "sister")
        {
            female = word == "sister";
        }

        Person person = World.Somebody(age, female);
        person.Relation = word;
        person.Introduction = own
            ? $"{{[h.his] {word} [{key}.name]|[h.his] {word} [{key}.name]|[{key}.name], [h.his] {word},}}"
            : $"{{a {word} called [{key}.name]|a {word} named [{key}.name]|[{key}.name], a {word},}}";
        Narrator.Bind(key, person);
        return person;
    }

    /// <summary>Lets kin without a name come in, of whom somebody of the hero's age may have such a one: <c>her mother</c>.</summary>
    public Person Kin(string key)
    {
        bool spouse = Hero.Age == Age.Old || (Hero.Age == Age.Grown && Dice.Chance(25));
        (string word, bool female) = spouse ? (Hero.Female ? "husband" : "wife", !Hero.Female) : Dice.Pick<(string, bool)>(Hero.Age == Age.Grown ? WorldTables.Parents : WorldTables.Elders);
        Person person = World.Somebody(Age.Old, female);
        person.Relation = word;
        person.Called = Hero.His + " " + word;
        Narrator.Bind(key, person);
        return person;
    }

    public Place Somewhere(string key, params ReadOnlySpan<Terrain> kinds)
    {
        Place place = World.SomePlace(kinds);
        Narrator.Bind(key, place);
        return place;
    }

    public Stock Some(string key, int good, int count)
    {
        var stock = new Stock(Goods.All[good], count);
        Narrator.Bind(key, stock);
        return stock;
    }

    /// <summary>Binds a phrase, of which one reading is chosen here and kept.</summary>
    public string Bind(string key, params ReadOnlySpan<string> phrasings)
    {
        string text = Narrator.Render(phrasings[Dice.Below(phrasings.Length)]);
        Narrator.Bind(key, new Word(text));
        return text;
    }

    public void Say(string phrasing) => Narrator.Say(phrasing);

    /// <summary>Tells one of the phrasings.</summary>
    public void OneOf(params ReadOnlySpan<string> phrasings) => Narrator.Say(phrasings[Dice.Below(phrasings.Length)]);

    public void Maybe(int percent, string phrasing)
    {
        if (Dice.Chance(percent))
        {
            Narrator.Say(phrasing);
        }
    }

    public void Paragraph()
    {
        if (Dice.Chance(70))
        {
            Narrator.Paragraph();
        }
    }

    /// <summary>Tells what one did after another: joined in one sentence, or in several with words of time between.</summary>
    /// <param name="who">A key.</param>
    /// <param name="deeds">Two or three predicates in the past tense.</param>
    public void Do(string who, params ReadOnlySpan<string> deeds)
    {
        const string Then = "{Then|After that|Next|Soon after that|A little later|Then|Then}";
        string first = $"[{who}] {deeds[0]}";
        if (deeds.Length == 2)
        {
            switch (Dice.Below(6))
            {
                case 0:
                    Say(first);
                    Say($"{Then} [{who}] {deeds[1]}");
                    break;
                case 1:
                    Say($"{first}, and then [{who}] {deeds[1]}");
                    break;
                case 2:
                    Say($"First [{who}] {deeds[0]}, and then [{who}] {deeds[1]}");
                    break;
                default:
                    Say($"{first} and {deeds[1]}");
                    break;
            }
        }
        else
        {
            switch (Dice.Below(5))
            {
                case 0:
                    Say($"{first} and {deeds[1]}");
                    Say($"{Then} [{who}] {deeds[2]}");
                    break;
                case 1:
                    Say(first);
                    Say($"{Then} [{who}] {deeds[1]} and {deeds[2]}");
                    break;
                case 2:
                    Say($"First [{who}] {deeds[0]}");
                    Say($"Then [{who}] {deeds[1]}, and {{at last|finally}} [{who}] {deeds[2]}");
                    break;
                default:
                    Say($"{first}, {deeds[1]} and {deeds[2]}");
                    break;
            }
        }
    }

    /// <summary>Tells an effect with its cause, either one first.</summary>
    public void Because(string effect, string cause)
    {
        switch (Dice.Below(6))
        {
            case 0:
                Say($"Because {cause}, {effect}");
                break;
            case 1:
                Say($"{cause}, so {effect}");
                break;
            case 2:
                Say(cause);
                Say($"{{That was why|So|For this reason}} {effect}");
                break;
            default:
                Say($"{effect} because {cause}");
                break;
        }
    }

    /// <summary>Lets somebody say something.</summary>
    /// <param name="who">A key.</param>
    /// <param name="words">What is said, with its full stop, question mark or exclamation mark.</param>
    /// <param name="how">A word for how, or nothing.</param>
    public void Quote(string who, string words, string how = "")
    {
        char mark = words[^1];
        string verb = mark switch
        {
            '?' => "asked",
            '!' => "{cried|called|shouted|said}",
            _ => "said",
        };
        string manner = how.Length > 0 ? " " + how : "";
        if (mark == '.' && Dice.Chance(30))
        {
            Say($"[{who}] said{manner}, \"{words}\"");
            return;
        }

        string inner = mark == '.' ? words[..^1] + "," : words;
        Say($"\"{inner}\" " + (Dice.Chance(55) ? $"[{who}] {verb}{manner}" : $"{verb} [{who}.n]{manner}"));
    }

    public AltiplanoFact Fact(FactKind kind, string subject, string relation, string value, int? number = null)
    {
        var fact = new AltiplanoFact(kind, Narrator.Render(subject), relation, Narrator.Render(value), number);
        _facts.Add(fact);
        return fact;
    }

    /// <summary>Keeps a fact and a question that asks for it; the story has to tell it.</summary>
    public void Ask(QuestionKind kind, string question, FactKind about, string subject, string relation, string answer, int? number = null)
    {
        AltiplanoFact fact = Fact(about, subject, relation, answer, number);
        _questions.Add(new AltiplanoQuestion(English.Capital(Narrator.Render(question)), fact.Value, fact, kind));
    }
}
