namespace Puna.Training.Data.Altiplano;

/// <summary>A trip to the market, with real arithmetic: what is taken along, what it costs, what is left, and what stands in the way of a fair trade.</summary>
internal sealed class TradePlot : IPlot
{
    public string Name => "trade";

    public void Tell(Scene s)
    {
        int have = s.Dice.Between(4, 12), sell = s.Dice.Between(2, have - 1);
        s.Narrator.Digits = s.Dice.Chance(75);
        Stock stock = s.Some("s", s.Dice.Chance(50) ? s.Hero.Trade.Makes : s.Dice.Below(Goods.All.Length), have);
        int price = s.World.PriceOf(stock.Good), coins = sell * price;
        s.Narrator.Bind("sold", new Stock(stock.Good, sell));
        s.Narrator.Bind("price", new Stock(new Good("coin", "coins", "coins", 1, false), price));
        s.Narrator.Bind("coins", new Stock(new Good("coin", "coins", "coins", 1, false), coins));
        s.Narrator.Bind("left", new Stock(stock.Good, have - sell));
        bool llama = s.Dice.Chance(70);
        if (llama)
        {
            s.HaveLlama();
        }

        bool began = Opening.Begin(s, false, false, "[h] had [s]", "[h] had [s] {to sell|and wanted to sell some of them|in the house}", "It was {market day|the day before the market} in [m], and [h] had [s] to sell", "{\"I have [s],\" said [h]|\"I have [s],\" [h] said}. \"That is more than we need.\"");
        s.Narrator.Bind("S", new Word(began ? "the [s]" : "[s]"));
        bool kin = s.Dice.Chance(50);
        Person other = kin ? s.Kin("f") : s.Meet("f", s.Dice.Pick("*friend", "*sister", "*brother", "*neighbour"));
        string thing = s.Dice.Pick("rope", "hat", "pot", "lamp", "blanket", "drum", "bell", "knife", "coat");
        string wish = s.Bind("wish", "a new " + (stock.Good.One.EndsWith(thing, StringComparison.Ordinal) ? "coat" : thing), "a pair of {shoes|warm gloves}", "medicine", "a {little|young} hen", "red {thread|ribbons}", "a {small|tin} drum");
        s.OneOf("[h] wanted to buy [wish] for [f.o]", "[f] {needed|wished for} [wish], and that {cost money|was not cheap}", "For weeks, [f] had wished for [wish]");
        s.Ask(QuestionKind.What, "What did [h.name] want to {get|buy} for [f.n]?", FactKind.Owns, other.Known, "wish", wish);
        if (llama)
        {
            s.OneOf("[h] {loaded [S] on [L.n]|put [S] on [L.pn] back} and {walked to|set out for} the market in [m]", "{With [S] on its back|Under its load of [s]}, [L.n] {walked|trotted} beside [h.o] to the market in [m]");
        }
        else
        {
            s.OneOf("[h] {packed [S] on a little cart|tied [S] on a mule} and {walked to|set out for} the market in [m]", "So [h] took [S] to the market in [m], {[m.hours] away|a walk of [m.hours]}");
        }

        s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] {have at first|take to the market|have in the beginning}?", FactKind.Count, "[h.name]", "had", "[s.count]", have);
        s.Ask(QuestionKind.Where, "{Where was the market?|In which village was the market?}", FactKind.Place, "market", "place", s.World.Market.Name);
        Detail.OnTheWay(s, 45);
        s.Paragraph();
        s.Meet("t", s.Dice.Pick("trader", "buyer", "merchant"));
        if (price > 2 && s.Dice.Chance(65))
        {
            s.Narrator.Bind("low", new Stock(new Good("coin", "coins", "coins", 1, false), price - 1));
            s.OneOf("[t] looked at the [s.kind] and {shook|scratched} [t.his] head", "At the market, [t] {felt|looked at|weighed} the [s.kind] {for a long time|carefully}", "There [t] came {by|closer} and asked about the [s.kind]");
            s.Quote("t", s.Dice.Pick("I will give you [low] for each.", "The roads are bad, so I can pay only [low] for each."));
            s.Quote("h", s.Dice.Pick("No, everybody pays [price] for each.", "These are good, and the price is [price] each.", "I walked a long way. It is [price] or nothing."), s.Dice.Pick("", "politely", "with a smile"));
            s.OneOf("[t] {laughed and agreed|thought about it and nodded|sighed, but [t.he] agreed}", "They {argued for a while|talked for a while}, {and then they shook hands|and in the end [t] agreed}");
        }
        else
        {
            s.OneOf("{At the market|In the middle of the market|Between the stalls}, [t] {liked the [s.kind]|needed [s.kind]|was looking for [s.kind]} and {offered|was ready to pay} [price] for each", "\"How much are they?\" asked [t]. \"They are [price] each,\" said [h]", "[t] asked for the price, and [h] {said that it was|wanted} [price] for each");
        }

        s.Ask(QuestionKind.Who, "Who {bought from [h.name]|bought the [s.kind]}?", FactKind.Deed, "[t.name]", "bought", "[t.name]");
        s.OneOf("{In the end, |So }[h] sold [sold] and {got|received|was given} [coins]", "[t] {took|bought} [sold] and {counted|put} [coins] into [h.p] hand", "[h] {gave [t.o]|handed over} [sold] {for|and got} [coins]");
        s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] sell?", FactKind.Count, "[h.name]", "sold", "[sold.count]", sell);
        s.Ask(QuestionKind.HowMany, "How many coins did [h.name] {get|receive}?", FactKind.Count, "[h.name]", "coins", "[coins.count]", coins);
        if (s.Dice.Chance(60))
        {
            s.OneOf("{Now|Then} [h] had [left] left", "That left [left], which [h] {took home again|kept for the winter|kept}", "[left] [left.was] left, and [h] {took the rest home|was not sad about it}");
            s.Ask(QuestionKind.HowMany, "How many [s.many] {were left|did [h.name] have left}?", FactKind.Count, "[h.name]", "left", "[left.count]", have - sell);
        }

        s.OneOf("With the money [h] bought [wish]", "[h] {ran|went} {straight |}to the next stall and bought [wish]", "There was {even |just |}enough to buy [wish], and [h] did so at once");
        Ending.Close(s, "[f] {could not believe it|was so happy that [f.he] danced|said nothing, but [f.his] eyes shone}", "\"{A fair price makes two people happy|Good things are worth a long walk|An honest trade is the best trade},\" [h] {said|liked to say after that}", "[f] {hugged [h.o]|laughed with joy} when [f.he] saw {what was in the bag|the present}");
    }
}
