namespace Puna.Training.Data.Altiplano;

/// <summary>A llama is born, in the wrong weather or at the wrong hour, and gets its name from what happened.</summary>
internal sealed class NewbornPlot : IPlot
{
    public string Name => "new-born llama";

    public void Tell(Scene s)
    {
        s.HaveLlama(s.Dice.Pick("gentle", "calm", "shy", "proud"));
        Weather weather = s.World.Weather;
        Opening.Begin(s, false, true, "[h] had not slept for two nights", "[dark]It was {past midnight|still dark} when [h] heard a sound from the stable", "[h] {carried a lamp to the stable[dark]|was waiting for something wonderful}");
        s.OneOf("[L.n] was going to have a baby, {and it could come any day|and it would not be long}", "{That week|Any day now}, [L.n] would have its first {baby|young one}");
        Place place = s.Somewhere("p", Terrain.Shelter, Terrain.Plain, Terrain.Height);
        bool dark = s.Dark, away = !dark && s.Dice.Chance(45);
        if (away)
        {
            s.OneOf("But {that evening|in the evening}, [L.n] did not come home with the others", "Then [L.n] disappeared {from the herd|in the afternoon}");
            s.OneOf("[h] took a lamp and {looked for it|searched} {for hours|half the night}, until there was a soft sound [p.at]", "[h] {searched everywhere|called and called} and found the llama [p.at], {lying on its side|out of breath}");
            s.Ask(QuestionKind.Where, "At which place did [h.name] find [L.name]?", FactKind.Place, "[L.name]", "gave birth", place.Name);
        }
        else
        {
            s.OneOf("[h] {slept in the straw beside the llama|put fresh straw in the stable}", "{Every hour|All night}, [h] {looked into the stable|sat by its side}");
        }

        Person helper = s.Dice.Chance(50) ? s.Kin("f") : s.Meet("f", s.Dice.Pick("*neighbour", "*friend", "old herder"));
        s.OneOf((dark ? "{Just before sunrise|With the first light}" : "{Just before sunrise|At midnight|With the first light}") + ", a {tiny|small, wet} llama was born", "And then it was there: a {tiny|small, wet} llama with {long legs|big dark eyes}");
        string colour = s.Dice.Pick("white", "black", "brown", "golden", "grey", "spotted");
        s.Narrator.Bind("c", new Word(colour));
        s.OneOf("It was [c]", "Its wool was [c]", "It was [c] {from nose to tail|and no bigger than a cat|and smelled of milk}");
        s.Ask(QuestionKind.What, "What colour was the {baby|newborn} llama?", FactKind.Quality, "baby", "colour", colour);
        if (away)
        {
            s.OneOf("[h] {carried it home|took it home in both arms}, and [L.n] walked behind", "[h] put it under [h.his] coat and led [L.n] home");
        }

        s.Narrator.Paragraph();
        s.Late = true;
        switch (s.Dice.Below(3))
        {
            case 0:
                s.OneOf("But it was {cold|weak} and did not {stand up|breathe well}", "But {the little one|it} {trembled|did not move much}, because {the night was cold|it had come too early}");
                s.Do("h", "{rubbed it with straw|wrapped it in a blanket}", "carried it to the fire", "{blew warm air on its nose|gave it warm milk from a cup}");
                s.OneOf("[f] {brought hot water|made the fire bigger|knew what to do}", "\"{Do not give up|Keep it warm},\" said [f.n]");
                s.OneOf("{After a long hour|Slowly}, it {lifted its head|opened its eyes} and {made a small sound|sneezed}", "Then it {kicked|sneezed}, and everybody {laughed|breathed again}");
                break;
            case 1:
                s.OneOf("But [L.n] {did not want to look at it|turned away from it}", "But {the mother|[L.n]} had no milk");
                s.OneOf("[f] {ran to borrow some goat's milk|showed [h.o] how to feed it with a wet cloth}", "[h] {fed it with goat's milk|gave it milk from a bottle} every two hours, and [f] {helped at night|held it}");
                int days = s.Dice.Between(2, 7);
                s.Narrator.Bind("d", new Word(English.Number(days, s.Narrator.Digits)));
                s.OneOf("After [d] days, [L.n] {came closer, smelled it and hummed|let it drink}", "It went on like this for [d] days, and then [L.n] {hummed to it|pushed it gently with its nose}");
                s.Ask(QuestionKind.HowMany, "After how many days did [L.name] accept the baby?", FactKind.Count, "[L.name]", "days", "[d]", days);
                break;
            default:
                s.OneOf("{A fox|A puma} had smelled it too, and two {green|yellow} eyes shone in the dark", "But outside, {a fox|a puma} {was walking around|scratched at the door}");
                s.OneOf("[h] {held up the lamp and shouted|beat on a pot with a spoon}, and [L.n] {spat|stood in front of the baby}", "[L.n] {kicked|spat}, and [h] threw {stones|burning sticks}");
                s.OneOf("{At last|Then} the animal ran away, and {all was still|the baby went on drinking as if nothing had happened}", "The animal {thought again|gave up} and {disappeared|was gone}");
                break;
        }

        s.OneOf("[f] {asked|wanted to know} what the baby's name would be", "\"What will you call the little one?\" asked [f]", "Now the little one {needed a name|only needed a name}");
        string name = weather switch
        {
            Weather.Snow or Weather.Frost => s.Dice.Pick("Snowflake", "Ice", "Winter"),
            Weather.Rain => s.Dice.Pick("Rain", "Drop", "Puddle"),
            Weather.Fog or Weather.Cloud => s.Dice.Pick("Mist", "Cloud", "Smoke"),
            Weather.Wind => s.Dice.Pick("Breeze", "Storm", "Wind"),
            Weather.Thunder => s.Dice.Pick("Thunder", "Spark", "Drum"),
            _ => s.Dice.Pick("Sunny", "Morning", "Sunbeam"),
        };
        s.Narrator.Bind("name", new Word(name));
        s.OneOf("[h] {looked outside|looked up at the sky|thought of the weather} and called it [name]", "\"[name],\" said [h.n], {because of the weather that day|and looked at the sky}");
        s.Ask(QuestionKind.What, "{What did [h.name] call the baby llama?|What was the baby llama called?}", FactKind.Quality, "baby", "name", name);
        Ending.Close(s, "{A week later|By the next full moon}, [name] was {running around the yard|jumping over buckets|as fast as the goats}", "{Everybody in [v]|All the children} came to see [name]", "[h] {was so tired that [h.he] fell asleep in the straw|fell asleep between the two llamas}", "[name] {followed [h.o] everywhere|grew quickly}, and [L.n] {was proud|never let it out of sight}");
        s.Fact(FactKind.Deed, helper.Known, "was there", "at the birth");
    }
}
