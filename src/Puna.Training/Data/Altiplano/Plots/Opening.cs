namespace Puna.Training.Data.Altiplano;

/// <summary>How stories begin: the hero comes in, and what the listener has to know of home, llama, nature and weather before something happens.</summary>
internal static class Opening
{
    /// <summary>Begins a story.</summary>
    /// <param name="scene">The scene; its llama is introduced if it has one.</param>
    /// <param name="trait">Whether the hero's nature matters, and so must be told.</param>
    /// <param name="weather">Whether the weather matters.</param>
    /// <returns>Whether the story began with one of the plot's own sentences.</returns>
    /// <param name="own">First sentences of the plot's own, which speak of the hero; none where the plot has none.</param>
    public static bool Begin(Scene scene, bool trait = false, bool weather = false, params ReadOnlySpan<string> own)
    {
        // What is told of a person one thing after another is no chain of events.
        scene.Narrator.Joins = false;
        Dice dice = scene.Dice;
        Person hero = scene.Hero;
        (string adjective, string dawn) = WeatherTables.Morning(scene.World.Weather, scene.World.Season);
        scene.Narrator.Bind("adj", new Word(adjective));
        scene.Narrator.Bind("dawn", new Word(dawn));
        scene.Narrator.Bind("work", new Word(hero.Age == Age.Child ? "{helped [h.his] family with the work|helped with the herd every day|carried water and firewood for [h.his] family}" : hero.Trade.Work));
        var home = new Mark();
        scene.Narrator.Bind("home", home);
        bool village = false, noun = false, llama = false, sky = false;
        int roll = dice.Below(100);
        bool began = own.Length > 0 && roll is >= 14 and < 52;
        if (roll < 14)
        {
            (village, noun, llama) = Once(scene);
        }
        else if (began)
        {
            scene.OneOf(own);
        }
        else if (roll < 70)
        {
            scene.OneOf(OpeningTables.Mornings);
            village = home.Set;
        }
        else if (roll < 84)
        {
            int choice = dice.Below(OpeningTables.Portraits.Length);
            scene.Say(OpeningTables.Portraits[choice]);
            (village, noun) = (true, true);
        }
        else
        {
            scene.OneOf(WeatherTables.First(scene.World.Weather));
            sky = true;
        }

        if (noun)
        {
            scene.Ask(QuestionKind.What, "What was [h.name]?", FactKind.Person, "[h.name]", "noun", "a [h.noun]");
        }

        if (!village && !noun && dice.Chance(75))
        {
            scene.OneOf(OpeningTables.Who);
            scene.Ask(QuestionKind.Where, "Where did [h.name] live?", FactKind.Place, "[h.name]", "home", scene.World.Home.Name);
        }
        else if (village)
        {
            scene.Ask(QuestionKind.Where, "{Where did [h.name] live?|In which village did [h.name] live?}", FactKind.Place, "[h.name]", "home", scene.World.Home.Name);
        }

        if (trait || dice.Chance(25))
        {
            TellTrait(scene, trait);
        }

        if (scene.Llama is { Introduced: false })
        {
            TellLlama(scene);
        }
        else if (llama)
        {
            scene.Ask(QuestionKind.What, "{What colour was [L.name]?|What was the colour of [h.name]'s llama?}", FactKind.Quality, "[L.name]", "colour", "[L.colour]");
        }

        if (!sky && (weather || dice.Chance(45)))
        {
            scene.OneOf(scene.Dark ? WeatherTables.InTheDark(scene.World.Weather) : WeatherTables.Of(scene.World.Weather));
            sky = true;
        }

        if (sky)
        {
            scene.Fact(FactKind.Time, "day", "weather", scene.World.Weather.ToString().ToLowerInvariant());
        }

        scene.OnThatDay(sky || scene.Day);
        scene.Narrator.Joins = true;
        return began;
    }

    /// <summary>Tells what kind of llama it is, if nobody has yet.</summary>
    public static void TellLlama(Scene scene)
    {
        Llama llama = scene.Llama!;
        llama.Introduced = true;
        if (!scene.LlamaAway && !scene.Dark && scene.Dice.Chance(25))
        {
            scene.OneOf(OpeningTables.LlamasSeen);
        }
        else
        {
            scene.OneOf(OpeningTables.Llamas);
        }

        scene.Narrator.Mentioned(llama);
        scene.Ask(QuestionKind.What, "{What colour was [L.name]?|What was the colour of [h.name]'s llama?}", FactKind.Quality, "[L.name]", "colour", "[L.colour]");
        scene.Ask(QuestionKind.Who, "{What was the name of [h.name]'s llama?|What was the llama called?}", FactKind.Quality, "[h.name]", "llama", "[L.name]");
        if (scene.Dice.Chance(45))
        {
            scene.Say(OpeningTables.Temper(llama.Temper));
        }
    }

    private static void TellTrait(Scene scene, bool always)
    {
        Trait trait = scene.Hero.Trait;
        if (always || scene.Dice.Chance(50))
        {
            scene.OneOf("[h] was {a [h.trait] person|very [h.trait]|[h.trait], and everybody knew it}", "{Everybody in [v]|The whole village|[h.p] family} knew that [h] was [h.trait]", "[h] had always been [h.trait]");
            scene.Ask(QuestionKind.What, "What was [h.name] like?", FactKind.Person, "[h.name]", "nature", "[h.trait]");
        }

        if (scene.Dice.Chance(60))
        {
            scene.Say(trait.Habit);
        }
    }

    private static (bool Village, bool Noun, bool Llama) Once(Scene scene)
    {
        if (scene.Llama is { } llama && scene.Dice.Chance(30))
        {
            llama.Introduced = true;
            scene.OneOf(
                "Once upon a time, a [h.noun] {named|called} [h.n] had a [L.colour] llama {named|called} [L.name]",
                "Once upon a time, there was a [L.colour] llama called [L.name] that belonged to a [h.noun] named [h.n]",
                "Once upon a time, a [h.noun] called [h.n] and a [L.colour] llama called [L.name] lived {in [v]|in the village of [v]|together in [v]}");
            scene.Narrator.Mentioned(llama);
            return (false, true, true);
        }

        scene.OneOf(OpeningTables.Onces);
        return (true, true, false);
    }
}
