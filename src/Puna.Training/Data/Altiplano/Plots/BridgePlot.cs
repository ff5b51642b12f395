namespace Puna.Training.Data.Altiplano;

/// <summary>The bridge is broken and somebody has to get across. Why it broke depends on the season, how it is crossed on the hero.</summary>
internal sealed class BridgePlot : IPlot
{
    public string Name => "broken bridge";

    public void Tell(Scene s)
    {
        bool llama = s.Dice.Chance(60);
        if (llama)
        {
            s.HaveLlama();
        }

        string cause = s.World.Season switch
        {
            Season.Rainy => s.Bind("cause", "the river had {risen in the night|carried half of it away|torn out two posts}"),
            Season.Winter => s.Bind("cause", "the ice had {crushed the posts|broken the beams}", "the snow had been too heavy for the beams"),
            Season.Spring => s.Bind("cause", "the melting snow had made the river wild", "a tree had hit the posts in the flood"),
            _ => s.Bind("cause", "the old ropes were rotten", "a loaded cart had been too heavy for the boards", "worms had eaten the wood"),
        };
        bool patient = s.Hero.Trait.Word is "patient" or "careful" or "clever";
        Opening.Begin(s, s.Hero.Trait.Word is "clever" or "brave" or "stubborn" or "patient" or "careful", false, "The bridge near [v] was old, and [h] {crossed it every day|had never trusted it}", "{There was only one bridge|Only one bridge led} over the river near [v], and [h] {crossed it every day|knew every board of it}", "[day][h] {came to the river and stopped|was on the way to the river}");
        string errand = s.Bind("errand", "bring {bread|a letter|warm socks|soup|medicine} to [h.his] {aunt|sister|cousin|friend}", "sell {cheese|pots|wool|eggs} in [m]", "fetch {seeds|the doctor|a new lamp|flour} from [m]", "visit [h.his] {brother|cousin|sister} in [m]");
        s.OneOf("[h] wanted to [errand], and {the way led over the bridge|for that there was only one way, over the bridge}", "[oneday], [h] had to [errand], and for that [h.he] had to cross the river");
        s.Ask(QuestionKind.What, "What did [h.name] want to do on the other side?", FactKind.Cause, "[h.name]", "errand", errand);
        s.OneOf("But the bridge was {broken|down|gone} because [cause]", "But [cause], and now the bridge was {broken|of no use}", "When [h] {got there|came to the bank}, the bridge was broken: [cause]");
        s.Ask(QuestionKind.Why, "Why was the bridge {broken|of no use}?", FactKind.Cause, "bridge", "broken because", cause);
        s.Maybe(50, "{The water was brown and fast|On the other side stood a donkey and looked across|Only three boards were left}");
        s.Paragraph();
        int how = s.Dice.Below(patient ? 2 : 4);
        switch (how)
        {
            case 0:
                int people = s.Dice.Between(4, 15), days = s.Dice.Between(2, 6);
                s.Narrator.Bind("n", new Word(English.Number(people, s.Narrator.Digits)));
                s.Narrator.Bind("d", new Word(English.Number(days, s.Narrator.Digits)));
                s.Do("h", "{ran back to [v]|went back to the village}", "{rang the bell|knocked at every door}", "told everybody about the bridge");
                s.OneOf("[n] people came with {ropes and tools|axes and ropes|wood and nails}", "Soon [n] people were {carrying beams|standing at the river with tools}");
                s.Ask(QuestionKind.HowMany, "How many people came {to help|with tools}?", FactKind.Count, "bridge", "helpers", "[n]", people);
                s.OneOf("They worked for [d] days, and {when they were done|then} the bridge was stronger than before", "After [d] days there was a new bridge{, wider than the old one|}");
                s.Ask(QuestionKind.HowMany, "{How many days did the work take?|For how many days did they work?}", FactKind.Count, "bridge", "days of work", "[d]", days);
                break;
            case 1:
                s.Meet("f", s.Dice.Pick("fisher", "ferryman", "shepherd", "miller"));
                s.OneOf("[h] {walked up|followed} the river {and thought|for an hour} and met [f.o]", "On the bank sat [f], who was {mending a net|eating an apple|drinking tea}");
                string way = s.Bind("way", "in a boat made of reeds", "at a place where the water was low", "on a line of flat stones", "on a fallen tree", "on a strong rope with a basket");
                s.Quote("f", s.Dice.Pick("I know a way.", "Come, I will show you something.", "There is always a second way."));
                s.OneOf("So they crossed the river [way]", "[f] {helped [h.o] to cross|brought [h.o] across} the river [way]");
                s.Ask(QuestionKind.Who, "Who showed [h.name] a way across the river?", FactKind.Deed, "[f.name]", "helped", "[f.name]");
                s.Ask(QuestionKind.What, "How did [h.name] cross the river?", FactKind.Deed, "[h.name]", "crossed", way);
                s.OneOf("[h] wanted to pay, but [f] {only laughed|said, \"Help the next one.\"|would not take a coin}", "[h] gave [f.o] {half a loaf of bread|a pair of warm socks|a handful of dried fruit} as thanks");
                break;
            case 2:
                s.OneOf("[h] tried to {jump from stone to stone, but slipped and got wet to the neck|wade through the water, but it was too deep}", "[h] did not want to wait and {stepped into the water|walked into the river}, but {the river was stronger|it was too cold and too deep}");
                s.OneOf(llama ? "[L.n] {pulled [h.o] out by the coat|stood still like a post, and [h] held on to its neck}" : "{A branch|A root} was within reach, and [h] {held on to it|climbed out}", "Wet and cold, [h] {sat on the bank|climbed back onto the grass}");
                s.OneOf("Then [h] {made a fire|got dry} and {thought again|had a better idea}: [h.he] {tied three old boards together|pushed a long beam across}, and {that|it} {held|was enough}", "{After that|Then} [h] {walked to the next bridge, which was [m.hours] away|looked for the next bridge, and it was [m.hours] away}");
                break;
            default:
                s.Meet("f", s.Dice.Pick("*friend", "*cousin", "*neighbour"));
                s.OneOf("On the other side stood [f], who also wanted to cross", "On the other bank, [f] was waving with both arms");
                s.OneOf("[h] {tied a stone to a thin rope|took a long rope} and threw it across", "[h] {threw a rope across|shot an arrow with a thin string across}, and [f] tied it to a rock");
                s.OneOf("{Hand over hand|Piece by piece}, they {pulled the bags across|sent everything over in a basket}", "Then they {built a small bridge of ropes|sent the load across in a basket}");
                s.Ask(QuestionKind.Who, "Who stood on the other side of the river?", FactKind.Place, "[f.name]", "stood", "[f.name]");
                break;
        }

        if (llama)
        {
            s.Maybe(60, how == 3 ? "[L.n] {looked at the water and did not trust it|waited and chewed}" : "[L.n] {looked at the water and did not trust it|crossed last, and very slowly}");
        }

        if (how == 0)
        {
            s.OneOf("{So in the end|And then} [h] {crossed the river|could do the errand after all}", "[h] was {the first to cross it|allowed to cross it first}, and the errand was done at last");
        }
        else
        {
            s.OneOf("{So in the end|In this way} [h] {did what [h.he] had come for|could do the errand after all}", "{That evening|By evening}, the errand was done{, only later than planned|}", "{A little late|Tired}, but happy, [h] could {go on|do the errand}");
        }

        Ending.Close(s, "\"A bridge is made of people,\" the old ones say in [v]", "{From then on|From that day on}, [h] looked at every bridge {twice|with respect}", "[h] planted a small tree by the river {so that nobody would forget that day|to remember that day}");
    }
}
