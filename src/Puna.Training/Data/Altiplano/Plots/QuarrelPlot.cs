namespace Puna.Training.Data.Altiplano;

/// <summary>Two friends quarrel about something real, suffer from it, and somebody or something brings them together again.</summary>
internal sealed class QuarrelPlot : IPlot
{
    public string Name => "quarrel";

    public void Tell(Scene s)
    {
        bool llama = s.Dice.Chance(45);
        if (llama)
        {
            s.HaveLlama();
        }

        bool proud = s.Hero.Trait.Word is "proud" or "stubborn" or "impatient";
        Opening.Begin(s, proud, false, "[h] was so angry that {it was hard to breathe|[h.he] kicked a stone across the street}", "Nobody had ever seen [h] so angry", "\"I will never speak to you again!\" {cried|shouted} [h]");
        Person friend = s.Meet("f", s.Dice.Pick("*friend", "*neighbour", "*cousin"));
        string cause = s.Bind(
            "cause", "a broken {cup|jar|flute|lamp}", "a place by the fire", "the last piece of {cake|bread|cheese}", "a wall between two gardens", "{three|four|five} coins", "the water of the little stream", "a silly joke",
            "a basket of {eggs|corn|beans}", "two buckets of water", "a lost {knife|glove|ball}");
        s.OneOf("[h] and [f] quarrelled about [cause]", "It began with [cause], and {soon [h] and [f] were shouting|then one word led to another}", "[oneday], there was a quarrel about [cause], and {from that day|from that hour} [h] and [f] {were enemies|were angry with each other}");
        s.Ask(QuestionKind.Who, "With whom did [h.name] quarrel?", FactKind.Person, "[h.name]", "quarrelled with", friend.Name);
        s.Ask(QuestionKind.What, "What was the quarrel about?", FactKind.Cause, "quarrel", "about", cause);
        s.Quote("f", s.Dice.Pick("You are always right, are you not?", "You know very well that I am right!", "I do not want to see you any more!", "You never listen to me!"));
        s.OneOf(proud ? "[h] was too [h.trait] to say a kind word" : "[h] {turned around and went away|slammed the door|did not answer|kicked a bucket over|left without a word}", "[h] {felt hot with anger|said something that was not true} and {left|ran home}");
        int days = s.Dice.Between(2, 9);
        s.Narrator.Bind("d", new Word(English.Number(days, s.Narrator.Digits)));
        s.OneOf("For [d] days they did not {speak|say a word to each other}", "[d] days {went by|passed} {without a word|in silence}");
        s.Ask(QuestionKind.HowMany, "For how many days did they not speak?", FactKind.Count, "quarrel", "days", "[d]", days);
        s.OneOf("{The days were long|The evenings were quiet}, and {nothing tasted good|no game was fun alone}", "[h] {ate alone|sat by the window|had nobody to laugh with} and {missed [f.n]|pretended not to care}", "[h] {often looked over the wall|walked past [f.pn] house without looking|worked twice as hard as before|heard laughing from next door and felt alone}");
        s.Paragraph();
        switch (s.Dice.Below(llama ? 4 : 3))
        {
            case 0:
                Person kin = s.Kin("k");
                s.OneOf("[k] {saw it and asked what was wrong|put down the spoon and looked at [h.o]}", "One evening, [k] sat down beside [h.o]");
                s.Quote("k", s.Dice.Pick("Which is bigger, the thing you lost or the friend?", "Two stones that never move stay cold. One of you has to go first.", "I once did not speak to my sister for ten years. Do not be like me."));
                s.OneOf("[h] {thought about it all night|could not sleep after that}", "[h] {said nothing, but understood|looked into the fire and understood|said nothing, but the words stayed}");
                s.OneOf("In the morning, [h] {went to [f.pn] house|knocked at [f.pn] door} with {a warm loaf of bread|some honey|a pot of soup}", "{The next day|Early the next day}, [h] {went over|stood at [f.pn] door} and said, \"I am sorry.\"");
                s.Ask(QuestionKind.Who, "Who gave [h.name] good advice?", FactKind.Deed, "advice", "given by", kin.Called!);
                break;
            case 1:
                bool danger = s.Dice.Chance(35);
                string need = danger ? s.Bind("need", "[f.n] fell into the cold river", s.World.Season == Season.Winter ? "[f.n] got stuck in the snow on the way home" : "[f.n] sank into the mud by the lake")
                    : s.Bind("need", "the roof of [f.pn] house flew off in the wind", "a fire broke out in [f.pn] barn", "[f.pn] goats ran away in the night");
                s.OneOf("Then [need]", "But one {night|day}, [need]");
                s.OneOf("[h] did not think about the quarrel for a moment and ran to help", "[h] heard the shouting and {was there before anybody else|came running with a rope}");
                s.Ask(QuestionKind.What, "What happened before they made up?", FactKind.Cause, "peace", "after", need);
                s.OneOf(
                    danger ? "[h] {pulled [f.o] out|held on to [f.o] and did not let go until help came}, and {the quarrel was forgotten|nobody thought of the quarrel any more}" : "They worked {side by side|all night} and {did not say much|forgot to be angry}",
                    $"{{When it was over|Afterwards}}, they sat {{on the ground|by the fire}}, {(danger ? "wet" : "dirty")} and tired, and {{looked at each other|began to laugh}}");
                break;
            case 2:
                s.OneOf("It was [f] who came first, with {a bag of apples|a new ball|a clay bird|half a cake}", "One morning, a present lay at the door: {a bag of apples|a clay bird|a pair of red gloves}. It was from [f.o]");
                s.OneOf("[h] wanted to be angry, {but it did not work any more|but had to smile}", "\"I was wrong,\" [f] said. \"{So was I|I was wrong too},\" said [h.n]");
                break;
            default:
                s.OneOf("But [L.n] knew nothing about the quarrel: {the llama|it} {walked over to the other yard every day|stood at the other gate and hummed}", "[L.n] {jumped over the wall|opened the gate} and {ate [f.pn] beans|lay down in the other garden}");
                s.OneOf("So [h] had to {fetch it|go over}, and there they stood, {face to face|with the llama between them}", "Both of them {ran to catch it, slipped and fell into the mud|pulled at the rope, and neither could move it}");
                s.OneOf("{First one laughed, then the other|They looked at each other and had to laugh}", "\"{Your llama is wiser than we are|At least somebody visits me},\" said [f.n], and [h] {laughed|had to laugh}");
                s.Ask(QuestionKind.Who, "Who brought the two together again?", FactKind.Deed, "peace", "made by", "[L.name]");
                break;
        }

        Ending.Close(s, "They {shook hands|hugged}, and {the quarrel was over|nobody spoke of it again}", "{From then on|After that}, {when they were angry they counted to twenty|they shared everything}", "Later, neither of them {could say who had started it|wanted to be right any more}", "\"A friend is worth more than {that|being right},\" said [h.n]");
    }
}
