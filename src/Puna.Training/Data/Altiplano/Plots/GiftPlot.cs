namespace Puna.Training.Data.Altiplano;

/// <summary>A present is wanted and there is no money: work, exchange or an idea must do. A chain of exchanges is simulated step by step.</summary>
internal sealed class GiftPlot : IPlot
{
    public string Name => "gift";

    public void Tell(Scene s)
    {
        Opening.Begin(s, s.Hero.Trait.Word is "generous" or "clever", false, "A birthday was near, and [h] still had no present", "[h] {thought about a present from morning to night|could think of nothing but a present}", "[h] turned every pocket inside out and did not find {a single coin|one coin}");
        Person to = s.Dice.Chance(60) ? s.Kin("f") : s.Meet("f", s.Dice.Pick("*sister", "*brother", "*friend"));
        string wish = s.Bind("wish", "a {warm|blue|red} scarf", "a {new|good} lamp", "a pair of {boots|slippers|glasses}", "a {clay|painted} whistle", "a soft pillow", "a silver ring", "a {small|round} mirror", "a {strong|new} walking stick", "a {green|striped} shawl");
        s.OneOf("[h] wanted to give [f.o] [wish]", "[f] would soon have a birthday and wished for [wish]", "For a long time, [f] had wished for [wish]");
        s.Ask(QuestionKind.What, "What {did [f.n] wish for|was the present for [f.n]}?", FactKind.Owns, to.Known, "wish", wish);
        if (s.Dice.Chance(55))
        {
            int a = s.Dice.Below(Goods.All.Length), b = (a + s.Dice.Between(1, 10)) % Goods.All.Length, c = (b + s.Dice.Between(1, 10)) % Goods.All.Length;
            Stock one = s.Some("a", a, s.Dice.Between(2, 6)), two = s.Some("b", b, s.Dice.Between(2, 6));
            Stock three = s.Some("c", c, s.Dice.Between(2, 4));
            s.OneOf("But [h] had {no money|not a single coin to spend}, only [a]", "There was no money in the house, but there [a.was] [a]", "But [h] had only [a]");
            s.Ask(QuestionKind.HowMany, "How many [a.many] did [h.name] have at first?", FactKind.Count, "[h.name]", "had", "[a.count]", one.Count);
            Person first = s.Meet("t", s.Dice.Pick("farmer", "baker", "potter", "weaver", "fisher"));
            Person second = s.Meet("u", s.Dice.Pick("shepherd", "miller", "teacher", "carpenter"));
            s.OneOf("[h] {went to|met} [t], who needed [a.kind] and gave [b] for [a.kindit]", "First [h] {exchanged|traded} the [a] for [b] with [t.o]");
            s.Ask(QuestionKind.Who, "Who gave [h.name] [b]?", FactKind.Deed, first.Name, "gave", first.Name);
            s.OneOf("Then [h] gave the [b] to [u.o] and got [c]", "[u] {was looking for|needed} [b.kind], so the next exchange was easy: the [b] for [c]");
            s.Ask(QuestionKind.HowMany, "How many [c.many] did [h.name] get {for [b]|from [u.n]}?", FactKind.Count, "[h.name]", "got", "[c.count]", three.Count);
            s.Fact(FactKind.Deed, second.Name, "took", two.Text(s.Narrator.Digits));
            s.OneOf("{At last|In the end}, a {trader|merchant} {took the [c]|looked at the [c]} and {said, \"That is enough for [wish].\"|gave [wish] for [c.it]}", "And a woman at the market {gave|was ready to give} [wish] for the [c]");
            s.OneOf("So [h] had [wish]", "{Three|Three good} exchanges, and [h] had [wish]");
        }
        else
        {
            int days = s.Dice.Between(2, 8), pay = s.Dice.Between(1, 4);
            s.Narrator.Bind("d", new Word(English.Number(days, s.Narrator.Digits)));
            s.Narrator.Bind("pay", new Stock(new Good("coin", "coins", "coins", 1, false), pay));
            s.Narrator.Bind("sum", new Stock(new Good("coin", "coins", "coins", 1, false), days * pay));
            s.OneOf("Such a present cost [sum], and [h] {had none|had not a single one}", "In [m] such a thing cost [sum], {which was a lot|more than [h] had ever had}");
            s.Ask(QuestionKind.HowMany, "How many coins did the present cost?", FactKind.Count, "present", "price", "[sum.count]", days * pay);
            Person boss = s.Meet("t", s.Dice.Pick("baker", "miller", "weaver", "carpenter", "potter", "farmer"));
            string work = s.Bind("work2", "carried water", "swept the yard", "cleaned the oven", "fed the animals", "sorted wool", "carried sacks", "chopped wood");
            s.OneOf("So [h] {went to [t.o] and|knocked at the door of [t.n] and} {asked for work|offered to work}", "\"Do you have any work for me?\" [h] asked [t.o]");
            s.OneOf("For [d] days, [h] [work2] and got [pay] a day", "[h] [work2] for [d] days, and every day there [pay.was] [pay]");
            s.Ask(QuestionKind.Who, "{Who gave [h.name] work?|For whom did [h.name] work?}", FactKind.Deed, boss.Name, "gave work", boss.Name);
            s.Ask(QuestionKind.HowMany, "{How many days did [h.name] work?|For how many days did [h.name] work?}", FactKind.Count, "[h.name]", "days", "[d]", days);
            s.Ask(QuestionKind.What, "What {work did [h.name] do|did [h.name] do for [t.n]}?", FactKind.Deed, "[h.name]", "worked", work);
            s.OneOf("{In the evenings|At night}, every bone hurt, but {the purse grew heavier|[h] smiled}", "[h] {told nobody|said nothing at home}, and {hid the coins in a shoe|counted the coins under the blanket}");
            s.OneOf("Then [h] had [sum], {ran|walked} to [m] and bought [wish]", "With [sum] in one hand, [h] {went|ran} to [m] and came back with [wish]");
        }

        s.Paragraph();
        s.OneOf("{Early one morning|The next morning}, [h] {put the present on the table|hid the present behind [h.his] back}", "[h] {wrapped the present in a cloth|tied a ribbon around the present} and {waited for the right moment|gave it to [f.o] after supper}");
        s.OneOf("[f] {did not say a word at first|looked at it for a long time}, {and one tear ran down|and then smiled}", "\"{How did you do that|Where did you get it}?\" [f] asked", "[f] {laughed for joy|was very happy} and showed {everybody|the whole street} what a present it was");
        Ending.Close(s, "\"The best part is not the thing,\" [f] said. \"{It is the way it came|It is that you thought of me}.\"", "[h] {was tired but very happy|had never been so happy about something for somebody else}", "{And so|In this way} [h] learned that {work and patience are|a good idea is} as good as coins", "[h] had given everything away and felt rich");
    }
}
