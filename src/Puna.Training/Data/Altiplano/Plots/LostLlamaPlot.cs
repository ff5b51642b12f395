namespace Puna.Training.Data.Altiplano;

/// <summary>A llama is gone. Why it went decides where it is; the weather decides what leads there; the place decides what is in the way.</summary>
internal sealed class LostLlamaPlot : IPlot
{
    public string Name => "lost llama";

    public void Tell(Scene s)
    {
        s.LlamaAway = true;
        Llama llama = s.HaveLlama();
        bool forgetful = s.Hero.Trait.Word == "forgetful";
        Weather weather = s.World.Weather;
        string lesson;
        Place place;
        if (forgetful)
        {
            s.Bind("cause", "{the gate had been left open|the gate was not tied|nobody had closed the gate}");
            place = s.Somewhere("p");
            lesson = "{From then on|From that day on|After that}, [h] {never forgot to close the gate|tied the gate with two knots every evening|looked at the gate twice before going to bed}";
        }
        else if (weather == Weather.Thunder)
        {
            s.Bind("cause", "{the thunder had frightened it|a clap of thunder had frightened it|it was afraid of the thunder}");
            place = s.Somewhere("p", Terrain.Shelter, Terrain.Building);
            lesson = "{After that|From then on}, [h] {slept in the stable whenever there was a storm|brought [L.n] inside when the sky turned dark|built a strong stable with a good roof}";
        }
        else if (weather == Weather.Fog)
        {
            s.Bind("cause", "{it had lost its way in the fog|it had walked into the fog and could not find the way home}");
            place = s.Somewhere("p", Terrain.Height, Terrain.Plain, Terrain.Shelter);
            lesson = "{The next day|A week later}, [h] {bought a small bell|made a bell out of an old cup} and hung it around [L.pn] neck";
        }
        else if (llama.Temper is "greedy" or "lazy")
        {
            s.Bind("cause", "{it had smelled fresh grass|it wanted to eat fresh grass|there was better grass somewhere else}");
            place = s.Somewhere("p", Terrain.Plain);
            lesson = "{After that|From then on}, [h] {gave [L.n] more hay in the evening|took [L.n] to good grass every week}, and {the llama|it} never went away again";
        }
        else if (llama.Temper is "curious" or "playful" or "clever")
        {
            s.Bind("cause", "{it had followed some wild vicunas|it had run after a fox|it had opened the gate with its teeth}");
            place = s.Somewhere("p", Terrain.Height, Terrain.Building);
            lesson = "\"You may look at the world,\" said [h.n], \"but next time {we go together|take me with you}.\"";
        }
        else
        {
            s.Bind("cause", "{its old rope had broken|the rope had broken in the night|a part of the wall had fallen down}");
            place = s.Somewhere("p");
            lesson = "{The next morning|On the same evening}, [h] {mended everything that was old in the yard|made everything in the yard strong and new}";
        }

        bool began = Opening.Begin(s, forgetful, true, "[day]{One morning|One day|When [dawn]|One [adj] morning}, [h] {went out to the yard and stopped|came to the gate with a handful of corn|heard no sound from the yard}", "[day]\"Where is my llama?\" [h] {cried|asked} one {morning|[adj] morning}");
        if (began)
        {
            s.OneOf("The {yard|stable|place by the wall} was empty, and {there was no [L.n]|[L.n] was not there}", "[L.n] was {not there|nowhere to be seen}");
        }
        else
        {
            s.OneOf(
                "But [oneday], [L.n] was {not there|nowhere to be seen}", "But the {yard|stable|place by the wall} was empty [oneday], and {there was no [L.n]|[L.n] was not there}",
                "But when [h] {called|came with the hay|looked into the yard}, [L.n] was {nowhere to be seen|not there}");
        }

        s.OneOf("[h] knew what had happened: [cause]", "[L.n] was gone because [cause]", "It was not hard to see why: [cause]");
        s.Ask(QuestionKind.Why, "{Why did [L.name] go away?|Why was [L.name] gone?}", FactKind.Cause, "[L.name]", "left because", "[cause]");
        Search(s, weather);
        s.Paragraph();
        Rescue(s, place);
        s.Ask(QuestionKind.Where, "{At which place was [L.name] found?|At which place did [h.name] find [L.name]?|At which place was [L.name]?}", FactKind.Place, "[L.name]", "found", place.Name);
        Ending.Close(s, lesson, lesson, "{\"Never do that again,\" [h.he] said, but [h.he] was not angry|[h] was too glad to be angry}", "[h] {was so happy that [h.he] sang|slept well that night|could laugh about it now}");
    }

    private static void Search(Scene s, Weather weather)
    {
        switch (s.Dice.Below(3))
        {
            case 0:
                s.Meet("f", s.Dice.Pick("*friend", "*neighbour", "*cousin", "*brother", "*sister"));
                s.OneOf("[f] {offered to help|came along|said that two pairs of eyes see more than one}", "[h] {ran to|asked|told} [f.o], and {they set out together|the two of them went to look}");
                s.Ask(QuestionKind.Who, "Who {helped [h.name] to look|went to look with [h.name]}?", FactKind.Deed, "[f.name]", "helped to search", "[f.name]");
                break;
            case 1:
                Person kin = s.Kin("f");
                s.Quote("f", s.Dice.Pick("Look before it gets dark.", "Take a rope and some corn with you.", "Go slowly and listen well."));
                s.Do("h", "{took a rope|put some corn in a bag|put on [h.his] warmest coat}", "{went out to look|set out alone|left the village}");
                s.Fact(FactKind.Deed, kin.Called!, "advised", "[h.name]");
                break;
            default:
                s.Do("h", "{asked at every door|looked behind every house}", "{climbed onto a wall|ran to the edge of the village}", "{called [L.pn] name|looked in all directions}");
                break;
        }

        s.Narrator.Bind("wool", new Word(s.Llama!.Colour == "spotted" ? "wool" : "[L.colour] wool"));
        string trace = weather switch
        {
            Weather.Snow => "There were {footprints|tracks} in the snow, and they led to [p]",
            Weather.Rain => "{In the mud|In the wet sand}, [h] found {fresh footprints|the marks of two toes}, and they led to [p]",
            Weather.Fog or Weather.Thunder => "{After a long time|At last}, [h] heard {a soft humming|a small sound} from far away, and it came from [p]",
            Weather.Wind => "A bit of [wool] hung {on a thorn bush|on a cactus}, and the path there led to [p]",
            _ => s.Dice.Pick("{A boy with a goat|An old woman with a basket|A trader on the road|A girl at the well} had seen a [L.colour] llama {walking|on its way} to [p]", "{There were {fresh|small} footprints in the dust|A bit of [wool] lay} on the road to [p]"),
        };
        s.Say(trace);
        Detail.OnTheWay(s, 50, false);
    }

    private static void Rescue(Scene s, Place place)
    {
        switch (place.Terrain)
        {
            case Terrain.Water or Terrain.Spring:
                s.OneOf("And there was [L.n], {stuck in the mud|up to its belly in the mud} {by [p]|near [p]}", "There stood [L.n] in the deep mud near [p], and it could not move");
                s.Do("h", "{laid flat stones in the mud|put branches on the mud}", "tied a rope around [L.n]", "pulled until the llama came free");
                s.Ask(QuestionKind.What, "What was [L.name] stuck in?", FactKind.Deed, "[L.name]", "stuck in", "mud");
                break;
            case Terrain.Height:
                s.OneOf("High up on a narrow ledge, {close to the top|above a deep drop}, stood [L.n]", "[L.n] was standing on a narrow ledge and {did not dare to move|was afraid to come down}");
                s.OneOf("[h] {climbed up slowly|went up step by step}, {spoke softly|sang a quiet song} and led [L.n] down again", "[h] held out {a handful of corn|some sweet grass}, and step by step [L.n] came down");
                s.Ask(QuestionKind.What, "What was [L.name] standing on?", FactKind.Place, "[L.name]", "stood on", "a narrow ledge");
                break;
            case Terrain.Plain:
                s.OneOf(
                    s.World.Weather is Weather.Snow or Weather.Frost ? "There was [L.n], {in the middle of a strange herd|looking for grass under the ice and the snow}" : "There was [L.n], {up to its knees in green grass|eating as if nothing had happened|in the middle of a strange herd}",
                    "[L.n] was {eating happily|lying in the grass} and {did not even look up|looked very pleased}");
                s.OneOf("[h] {laughed|sat down and laughed|shook [h.his] head} and put the rope around {its|the llama's} neck", "[h] had to {hold out some corn|run around it three times} before [L.n] {would come along|could be caught}");
                break;
            case Terrain.Salt:
                s.OneOf("Far out on the white ground stood [L.n], {licking the salt|small as an ant|looking around for the way home}", "A small dark point was moving on the white ground: it was [L.n]");
                s.OneOf("[h] {called|whistled}, and [L.n] {came at once|lifted its head and came}", "[h] {ran all the way|shouted and waved}, and [L.n] {came trotting|hummed with joy}");
                break;
            default:
                bool door = place.Terrain == Terrain.Building || place.At.StartsWith("in the shepherd", StringComparison.Ordinal);
                s.OneOf(
                    "[p.at], out of the wind, lay [L.n] {fast asleep|on the bare ground|with a {small|young} vicuna beside it}", "{In a dark corner|In the shade}, two {big|round} eyes shone: it was [L.n]",
                    door ? "The door was half open, and behind it stood [L.n], {cold|hungry} but {safe|not hurt}" : "[L.n] was standing there, {cold|hungry} but {safe|not hurt}");
                s.OneOf("[h] {gave [L.n] some corn and warmed its ears|rubbed it with a dry blanket}, and then they went home", "[h] {put both arms around [L.pn] neck|was so glad that [h.he] cried a little}");
                break;
        }

        s.OneOf("{It was [p.hours] back to the village|The way back from [p] was long}, but {nobody minded|it did not seem so}", "It was a long way from [p], but they came home {before dark|by moonlight|in time for supper}", "Then [h] brought [L.n] home from [p]");
    }
}
