namespace Puna.Training.Data.Altiplano;

/// <summary>A storm catches the hero on an errand. Nature decides whether to wait or to go on, the ground what shelter there is, and both what it costs.</summary>
internal sealed class StormPlot : IPlot
{
    public string Name => "storm";

    public void Tell(Scene s)
    {
        bool snow = s.World.Season == Season.Winter;
        s.World.Weather = s.Dice.Pick(Weather.Sun, Weather.Cloud, Weather.Wind);
        s.HaveLlama();
        Person host = s.Dice.Chance(50) ? s.Meet("f", s.Dice.Pick("*friend", "*cousin", "*friend", "*cousin")) : s.Kin("f");
        Stock load = s.Some("s", s.Dice.Pick(Goods.Salt, Goods.Wool, Goods.Quinoa, Goods.Potatoes, Goods.Corn, Goods.Flour, Goods.Firewood), s.Dice.Between(2, 9));
        Place goal = s.Somewhere("p", Terrain.Building, Terrain.Plain, Terrain.Water, Terrain.Spring);
        s.Narrator.Bind("storm", new Word(snow ? "{snowstorm|storm}" : "{storm|thunderstorm}"));
        bool rash = s.Hero.Trait.Word is "impatient" or "brave" or "proud" or "stubborn";
        Opening.Begin(
            s, rash || s.Hero.Trait.Word is "careful" or "patient", false,
            "The storm {came in the afternoon|came without a warning|began with one dark cloud}, just as [h] was on the road to [p]",
            "The storm that {hit [v]|came over the mountains} that {year|day} was the worst [h] had ever seen",
            "{Nobody had expected the storm, and [h] least of all|The storm surprised everybody, and most of all it surprised [h]}",
            "The day of the great storm began quietly for [h]");
        if (!s.Llama!.Introduced)
        {
            Opening.TellLlama(s);
        }

        s.OneOf("[h] had to {take|bring|carry} [s] to [f.o] [p.at]", "[f] was staying [p.at] and {needed|was waiting for} [s], so [h] {set out|loaded the llama and left}", "[h] {loaded [s] on [L.n]|packed [s]} and {set out for [p]|left for [p]}, where [f] was waiting");
        s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] {carry|have to bring}?", FactKind.Count, "[h.name]", "carried", "[s.count]", load.Count);
        s.Ask(QuestionKind.Where, "Where was [h.name] {going|on the way to}?", FactKind.Place, "[h.name]", "went to", goal.Name);
        Detail.OnTheWay(s, 40);
        s.OneOf("{Halfway there|After an hour|Then, on open ground}, the sky {turned black|grew dark as night}, and a [storm] {broke|came down on them}", "{But then|Suddenly} the wind {turned|grew cold}, and {within minutes|before they could turn back} a [storm] was upon them");
        s.OneOf(snow ? "Snow {filled the air|flew into their eyes} and {covered the path|hid every stone}" : "{Rain and hail beat down|Hail as big as beans fell}, and lightning {lit the hills|struck a rock close by}", "[L.n] {trembled|pulled at the rope|stopped and looked around}");
        s.Paragraph();
        int hours = s.Dice.Between(2, 9);
        s.Narrator.Bind("hours", new Word(English.Number(hours, s.Narrator.Digits)));
        if (rash)
        {
            s.OneOf("[h] {wanted to go on all the same|thought only of going on|would not wait}, {and soon they had lost the path|but after a hundred steps the path was gone}", "\"We can make it,\" [h] said, and went on, {but soon nothing looked the way it should|but it was a mistake}");
            s.Because(s.Dice.Pick("one part of the load fell into a stream", "[h] fell and hurt [h.his] {knee|foot|hand}"), s.Dice.Pick("the stones were {wet|" + (snow ? "icy" : "smooth") + "|slippery}", "nobody could see the ground"));
        }
        else
        {
            s.OneOf("[h] {did not run, but|stayed calm and} looked for a place to hide", "\"We must not go on,\" [h] {told [L.n]|said}. \"{Better late than lost|A dry rock is better than a wet road}.\"");
        }

        string shelter = s.Bind("shelter", "a small cave", "an old hut", "a hollow under a big rock", "a ruined house", "an empty stable");
        s.OneOf("[L.n] {lifted its head and pulled|smelled something and pulled} {to the left|up the slope}, and there was [shelter]", "{At last|Just in time}, {a flash of lightning|a gap in the clouds} showed them [shelter]", "{At last|Just in time}, [h] {found|saw} [shelter]");
        s.Ask(QuestionKind.What, "What gave [h.name] shelter?", FactKind.Place, "[h.name]", "sheltered in", shelter);
        s.Do("h", "{crept inside|went in} with the llama", s.Dice.Pick("{made a small fire|lit a candle}", "{shared a piece of bread with [L.n]|ate the last piece of bread}"), "{leaned against [L.pn] warm side|listened to the wind|told old stories to stay awake}");
        s.OneOf("They waited for [hours] hours", "{It was [hours] hours before|It took [hours] hours until} the [storm] {was over|passed}", "For [hours] hours the wind {screamed|howled} outside");
        s.Ask(QuestionKind.HowMany, "{How many hours did they wait?|How many hours did the storm last?|For how many hours did the storm go on?}", FactKind.Count, "storm", "hours", "[hours]", hours);
        bool night = s.Dice.Chance(50);
        s.Late = night;
        s.OneOf(
            "{Then|At last} the sky was clear, and " + (night ? "every star was shining" : $"the whole world was {(snow ? "white" : "wet")} and quiet"),
            "{Then it was quiet|Then the clouds went away}, and the " + (night ? "moon" : "sun") + " came out");
        string where = goal.Terrain == Terrain.Building ? "at the door" : "on the road";
        s.OneOf($"[f] was standing {where}{(night ? " with a lamp" : "")} when they {{came|arrived}}", "When they reached [p], [f] {ran out to meet them|hugged them both|could hardly believe it}", "[f], who had been afraid for them, {cried for joy|hugged the llama first} when they {came|arrived}");
        Ending.Close(
            s, rash ? "{\"Next time I will wait,\" said [h.n]|[h] had learned that it is no shame to wait|After that, [h] looked at the sky before every trip}" : "{[f] agreed that [h] had done the right thing|\"You were wise to wait,\" [f] said|The load was dry, and nobody was hurt}",
            "{\"It was [L.n] who found the way,\" [h] said|[h] {thanked|praised} [L.n] more than once|[L.n] got {a handful of corn|the warmest place by the fire}}");
        s.Fact(FactKind.Place, host.Known, "waited", goal.At);
    }
}
