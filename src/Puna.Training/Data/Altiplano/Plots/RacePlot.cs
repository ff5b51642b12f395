namespace Puna.Training.Data.Altiplano;

/// <summary>A race over the plain. Tempers and traits decide how it is run; somebody in need decides who wins more than a prize.</summary>
internal sealed class RacePlot : IPlot
{
    public string Name => "race";

    public void Tell(Scene s)
    {
        Llama llama = s.HaveLlama();
        Place goal = s.Somewhere("p");
        string prize = s.Bind("prize", "a silver bell", "a red saddle blanket", "ten coins", "a wheel of cheese", "a new drum", "a golden ribbon");
        Opening.Begin(s, s.Dice.Chance(40), false, "{Every year|Once a year}, [v] held a llama race, and {this time|this year} [h] wanted to win", "[h] had never won a race", "\"This year we will win,\" said [h]");
        bool later = s.Dice.Chance(33);
        if (later)
        {
            s.Say("{That week|Soon|In three days|On Sunday} there would be a llama race from [v] to [p]");
        }
        else
        {
            s.OneOf("The day of the {great|big|yearly} llama race from [v] to [p] had come", "{That [season]|That year|At the end of the month}, there was a llama race from the well of [v] to [p]");
        }

        s.Ask(QuestionKind.Where, "Where did the race end?", FactKind.Place, "race", "goal", goal.Name);
        s.Narrator.Bind("prize", new Word(prize));
        s.OneOf("The prize was [prize]", "Whoever was first would get [prize]");
        s.Ask(QuestionKind.What, "What was the prize?", FactKind.Owns, "race", "prize", prize);
        Person rival = s.Meet("f", s.Dice.Pick("*neighbour", "*cousin", "herder", "trader", "*friend"));
        Llama other = s.World.SomeLlama();
        other.Introduction = "a fast llama called [O.name]";
        s.Narrator.Bind("O", other);
        s.OneOf("The strongest rival was [f], who had [O]", "{Also in the race was|The strongest rival was} [f] with [O], and everybody {looked at it|knew how fast it was}");
        s.Ask(QuestionKind.Who, "Who owned [O.name]?", FactKind.Owns, other.Name, "owner", rival.Name);
        s.Paragraph();
        if (later)
        {
            s.Say("{On the day of the race|When the day came}, people from {three|four|five|six} villages {stood along the road|came to watch|were there}");
        }
        else
        {
            s.Maybe(55, "People from {three|four|five|six} villages {stood along the road|came to watch|were there}");
        }

        s.OneOf("{A drum|A horn|A whistle} gave the sign, and {the crowd cheered|off they went}", "\"Go!\" {somebody|the oldest herder|a boy on a wall} shouted, and {the race began|all the llamas ran|the crowd cheered}", "{When the bell rang|When the flag fell}, {the race began|everybody ran|the ground shook}");
        switch (llama.Temper)
        {
            case "stubborn" or "lazy":
                s.OneOf("But [L.n] {stood still|lay down} and {looked at the clouds|chewed}, and everybody laughed", "At first [L.n] did not take a single step");
                s.OneOf("[h] {whispered something into its ear|held out a carrot|began to sing}, and {suddenly|all at once} [L.n] {ran|was off} like the wind", "Only when [h] {walked ahead and called softly|stopped pulling} did [L.n] start to run");
                break;
            case "greedy":
                s.OneOf("After a hundred steps, [L.n] {saw a field of beans and stopped to eat|smelled fresh bread and turned left}", "[L.n] {ran well|was fast}, until there was a patch of fresh clover");
                s.OneOf("[h] {had to laugh|could do nothing} and {waited|pulled with all [h.his] strength}", "{By the time|When} [L.n] had eaten, the others were {far ahead|small points far away}");
                break;
            case "shy":
                s.OneOf("The noise frightened [L.n], {and it ran faster than ever before|so it ran and did not look back}", "[L.n] did not like the crowd and {ran away from it as fast as it could|wanted only to be far away}, {and that was just right|which was a good thing}");
                s.OneOf("Soon they {passed one llama after another|were among the first}", "{Three|Four} llamas were behind them before the first hill");
                break;
            default:
                s.OneOf("[L.n] {ran well|found its own path|was never in a hurry}, and [h] {let it choose the way|talked to it all the time}", "[L.n] and [O.n] ran side by side {up the first hill|along the wall}");
                s.OneOf("At the {bend|old wall|stream}, they were {second|third}", "{Nobody had expected that|People clapped when they came by|It was going well|There was still a long way to go}");
                break;
        }

        string winner;
        switch (s.Dice.Below(3))
        {
            case 0:
                winner = s.Hero.Name;
                s.OneOf("On the last hill, [O.n] {grew tired|stumbled}, and [L.n] {passed it|was in front}", "Near [p], [O.n] {slowed down|stopped to drink}, and {nobody could catch [L.n] any more|[L.n] ran on}");
                s.OneOf("[h] won the race by {three steps|a neck|a hair}", "And so [h] won the race and [prize]");
                s.OneOf("[f] {was the first to shake hands|laughed and said, \"Well done.\"}", "\"{Next year|Wait until next year},\" said [f.n], but {it sounded friendly|with a smile}");
                break;
            case 1:
                winner = rival.Name;
                s.OneOf("[O.n] was faster in the end, and [f] won the race", "But nobody could catch [O.n], and so [f] won the race");
                s.OneOf("[h] was {sad for a moment|a little sad}, but then {went over to shake hands|had to laugh}", "[h] came in {second|third|fourth}, {tired but content|but the people clapped all the same}");
                s.OneOf("[f] {put an arm around [h.o]|gave [h.o] a hand} and said, \"{Without you it would have been no race|You ran well}.\"");
                break;
            default:
                winner = "nobody";
                s.OneOf("Then, near [p], [O.n] {fell and hurt a leg|slipped on the stones and could not get up}", "Not far from [p], [f] fell {off the path|hard} and {could not get up|held one foot}");
                s.OneOf("[h] could have won, but {stopped|turned around} at once to help", "[h] {looked at the goal, looked back, and turned around to help|did not think of the prize any more and ran to help}");
                s.OneOf("{Together|Slowly, side by side}, they walked {to the goal|the rest of the way} and came in last", "They came in last, {all four of them|two people and two llamas}, and {the people clapped louder than for the winner|nobody laughed}");
                s.Ask(QuestionKind.Why, "Why did [h.name] not win?", FactKind.Cause, "[h.name]", "stopped to", "to help");
                break;
        }

        if (winner == "nobody")
        {
            s.Fact(FactKind.Deed, "race", "winner", "somebody else");
        }
        else
        {
            s.Ask(QuestionKind.Who, "Who won the race?", FactKind.Deed, "race", "winner", winner);
        }

        Ending.Close(s, "{From that day on|After that}, [h] and [f.n] {often trained together|met for every race|raced for fun every Sunday}", "\"{It is not only the legs that win|A race is short, but a friend is for long},\" {said the oldest herder|people said in [v]}", "[L.n] {did not care about the prize|knew nothing about prizes} and {only wanted some water|was happy with a carrot}");
    }
}
