namespace Puna.Training.Data.Altiplano;

/// <summary>A festival is near and something is missing; the hero's trade, courage or friends make it good.</summary>
internal sealed class FestivalPlot : IPlot
{
    public string Name => "festival";

    public void Tell(Scene s)
    {
        string feast = s.Bind("feast", "the Festival of {the Sun|the Moon|the Llamas|the Stars|the Rain}", $"the {(s.World.Season == Season.Rainy ? "rain" : s.World.Season == Season.Autumn ? "harvest" : "[season]")} festival", "the {wedding|birthday} of the oldest woman's {grandson|granddaughter}");
        bool llama = s.Dice.Chance(45);
        if (llama)
        {
            s.HaveLlama();
        }

        bool shy = s.Hero.Trait.Word is "shy" or "proud" or "careful";
        bool began = Opening.Begin(s, shy, false, "The whole village of [v] was getting ready for [feast], and [h] {had a lot to do|was excited|could not sleep}", "[feast] was only three days away, and [h] {counted the hours|had not even begun to cook|worked from morning to night}", "[h] had {waited for [feast] for weeks|looked forward to [feast] for a long time}");
        if (began)
        {
            s.OneOf("{Everybody was|The neighbours were} {cooking|sweeping the streets|hanging up ribbons}", "Nobody talked about anything else", "There was {cooking and baking|washing and sweeping} in every house");
        }
        else
        {
            s.OneOf("Soon it would be time for [feast]", "The people of [v] were {cooking|sweeping the streets|hanging up ribbons} for [feast]", "In [v], everybody was talking about [feast]");
        }

        s.Ask(QuestionKind.What, "What was the village {getting ready for|going to celebrate}?", FactKind.Time, "[v]", "feast", feast);
        Person friend = s.Meet("f", s.Dice.Pick("*friend", "*cousin", "*sister", "*brother"));
        string missing;
        switch (s.Dice.Below(4))
        {
            case 0:
                missing = s.Bind("x", "the drummer", "the flute player", "the singer");
                s.Narrator.Bind("play", new Word(missing == "the singer" ? "sing" : "play"));
                s.OneOf("But on the last evening, [x] {fell ill|broke an arm|did not come back from the road}", "But then news came: [x] {was ill|could not come}");
                s.Quote("f", s.Dice.Pick("You know every song. You must do it!", "You can do it!", "Who knows the songs better than you?", "You have practised all year. Now show it!", "Only you can save the feast."));
                s.OneOf(shy ? "[h] {turned red|wanted to hide}, because so many people would be {listening|looking}" : "[h] {laughed at first|had never done it before|was not sure}", "[h] practised {all night|until the candle was gone}, and [f] {listened|clapped in time}");
                s.OneOf("The next day, [h] {stepped in front of the people|stood in the middle of the square} with {shaking knees|closed eyes} and began", "When the time came, [h] {looked only at [f.n]|took a deep breath} and began to [play]");
                s.OneOf("After the first song, everybody {was dancing|clapped}", "Soon {old and young were dancing|even the grandmothers were dancing}");
                break;
            case 1:
                Stock need = s.Some("n", s.Dice.Pick(Goods.Bread, Goods.Potatoes, Goods.Cheese, Goods.Candles, Goods.Corn), s.Dice.Between(3, 12));
                missing = s.Bind("x", "food");
                if (need.Good == Goods.All[Goods.Candles])
                {
                    missing = s.Bind("x", "light");
                }

                s.OneOf("But there was not enough [x]: [f] saw that [n] [n.was] missing", "But [f] counted everything and saw that [n] [n.was] missing");
                s.Ask(QuestionKind.HowMany, "How many [n.many] were missing?", FactKind.Count, "[feast]", "missing", "[n.count]", need.Count);
                s.Do("h", "went from house to house", "{asked everybody for a little|told everybody about it}");
                s.OneOf("One family gave a [n.one]{, another one gave two|, and so did the next}", "{Some gave one and some gave two|Some gave much and some gave little|Everybody gave something}, {and the poorest gave the most|and nobody said no|even the children}");
                s.OneOf("By evening, there was more than enough", "{When it got dark|At sunset}, the square was full");
                break;
            case 2:
                missing = s.Bind("x", "the great mask", "the red flag", "the silver bell", "the big drum");
                s.OneOf("But when [f] opened the old chest, [x] was {gone|not there}", "But then [f] came running: [x] had {disappeared|been lost}");
                string spot = s.Bind("spot", "under the roof of the chapel", "behind the oven of the bakery", "in a sack of wool", "in the bell tower", "under a pile of blankets");
                s.OneOf("[h] {asked the children|looked everywhere|thought about who had seen it last}, and {an old man remembered|a little girl remembered} last year's feast", "They {looked in every house|asked everyone they met}, until [h] had an idea");
                s.OneOf("And there it was, [spot]", "They found it [spot], {full of dust|with a mouse asleep on it}");
                s.Ask(QuestionKind.Where, "Where was [x] found?", FactKind.Place, "[x]", "found", spot);
                break;
            default:
                missing = s.Bind("x", "a dry place", "a good place");
                s.OneOf($"But on the night before the feast, {(s.World.Season == Season.Winter ? "{the wind tore down the tent|snow broke the roof of the hall}" : "{the wind tore down the tent|rain flooded the square}")}", "But on the morning of the feast, {the old tent was full of holes|the roof of the hall had fallen in}");
                string place = s.Bind("spot", "the old mill", "the biggest stable", "the empty barn", "the yard of the school");
                s.OneOf("\"We can use [spot]!\" {said|called|cried} [h.n]", "Everybody was sad, but [h] {thought of|said that they could use} [spot]");
                s.Do("h", "{swept it from end to end|carried tables and benches there}", "hung up {lamps|ribbons|red cloth} with [f.n]");
                s.Ask(QuestionKind.Where, "Where was the feast held?", FactKind.Place, "[feast]", "held", place);
                break;
        }

        s.Fact(FactKind.Cause, feast, "missing", missing);
        s.Ask(QuestionKind.Who, "Who was [h.name]'s " + friend.Relation + "?", FactKind.Person, "[h.name]", friend.Relation!, friend.Name);
        s.Paragraph();
        s.OneOf("And so [feast] {began with music|could begin}", "That evening, {there was music in every street|the drums could be heard as far as [m]}", "There was {music and soup|dancing and hot bread}, and {the fire burned high|the stars were bright}");
        if (llama)
        {
            s.OneOf("Even [L.n] wore {a red ribbon|bells around its neck|flowers behind its ears}", "[L.n] {ate a paper flower|stole a piece of bread from the table}, and everybody laughed");
        }

        s.Late = true;
        Ending.Close(s, "{The oldest man in [v]|An old woman|Even the teacher|A guest from [m]} said that {it was the best feast in fifty years|there had never been a better one|nobody would forget that night|the feast had never been so merry}", "\"{We did it|You saved the feast},\" [f] said, and they {danced until morning|laughed}", "[h] {had never danced so much|did not go to bed until the sun rose|was a little proud, and so was [f.n]}");
    }
}
