namespace Puna.Training.Data.Altiplano;

/// <summary>Short stories of having, giving, losing and getting, with sums that come out right.</summary>
internal sealed class CountingPlot : IPlot
{
    public string Name => "counting";

    public void Tell(Scene s)
    {
        s.Narrator.Digits = s.Dice.Chance(80);
        int now = s.Dice.Between(5, 14);
        int kind = s.Dice.Below(Goods.All.Length);
        Stock first = s.Some("s", kind, now);
        Good good = first.Good;
        string[] own = ["\"How many [s.many] do I have?\" asked [h]", "[h] {liked to count things|counted everything twice}", "[day]One {day|morning}, [h] wanted to know what was left in the barn"];
        if (s.Dice.Chance(50))
        {
            s.OneOf("[h] had [s]", "[h] had [s] in {the barn|the store room}", "{One morning|One day}, [h] {counted everything in the barn|looked into the barn}: there were [s]", "In a corner of the house, [h] kept [s]");
        }
        else
        {
            Opening.Begin(s, false, false, own);
            s.OneOf("[h] had [s] {in the barn|in the house|for the winter}", "In the {barn|store room} there were [s]");
        }

        s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] have {at first|in the beginning}?", FactKind.Count, "[h.name]", "had at first", "[s.count]", now);
        int steps = s.Dice.Between(2, 3);
        var used = new List<int>();
        for (int i = 0; i < steps; i++)
        {
            int step;
            do
            {
                step = s.Dice.Below(5);
            }
            while (used.Contains(step));
            used.Add(step);
            int n = s.Dice.Between(1, step < 3 ? Math.Max(1, Math.Min(4, now - 2)) : 6);
            if (step < 3 && now - n < 1)
            {
                continue;
            }

            string key = "n" + English.Digits(i), who = "f" + English.Digits(i);
            s.Narrator.Bind(key, new Stock(good, n));
            string also = i == 0 ? "{Soon|The next day|A little later}" : "{Then|After that|A day later|In the evening|Later}";
            switch (step)
            {
                case 0:
                    s.Meet(who, s.Dice.Pick("*friend", "*neighbour", "*cousin"));
                    s.OneOf($"{also}, [{who}] {{came to visit|was in need|had a hard week}}, so [h] gave [{who}.o] [{key}]", $"{also}, [h] gave [{key}] to [{who}.o]");
                    s.Ask(QuestionKind.Who, "To whom did [h.name] give [" + key + "]?", FactKind.Deed, "[h.name]", "gave to", $"[{who}.name]");
                    s.Fact(FactKind.Count, "[h.name]", "gave", $"[{key}.count]", n);
                    now -= n;
                    break;
                case 1:
                    s.Say($"{also}, {{{Mishap(good.Use)}}}, and [{key}] [{key}.was] {{lost|gone}}");
                    s.Ask(QuestionKind.HowMany, "How many [s.many] were gone because of bad luck?", FactKind.Count, "[h.name]", "lost", $"[{key}.count]", n);
                    now -= n;
                    break;
                case 2:
                    s.Say($"{also}, [h] {{used|needed}} [{key}] for {{{(good.Use == GoodUse.Thing ? "the family|a wedding|a journey" : "the family|a big feast|a wedding|a journey")}}}");
                    s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] use?", FactKind.Count, "[h.name]", "used", $"[{key}.count]", n);
                    now -= n;
                    break;
                case 3:
                    s.Meet(who, s.Dice.Pick("*cousin", "*cousin", "trader", "*neighbour"));
                    s.OneOf($"{also}, [{who}] {{brought|gave}} [h.o] [{key}] {{as a present|to say thanks|in return for some work}}", $"{also}, [h] helped [{who}.o] with the {{roof|fields|wall}} and got [{key}] for it");
                    s.Ask(QuestionKind.HowMany, $"How many [s.many] did [h.name] get from [{who}.n]?", FactKind.Count, "[h.name]", "got", $"[{key}.count]", n);
                    now += n;
                    break;
                default:
                    s.Say($"{also}, [h] bought [{key}] {{at the market|in [m]|from a trader on the road}}");
                    s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] buy?", FactKind.Count, "[h.name]", "bought", $"[{key}.count]", n);
                    now += n;
                    break;
            }

            s.Maybe(35, "{[h] wrote it down with a piece of coal|Life is like that in the mountains|[h] counted again}");
        }

        var end = new Stock(good, now);
        s.Narrator.Bind("e", end);
        s.OneOf("{In the end|At the end of the week}, [h] {counted again and had [e]|had [e]}", "Now [h] had [e]", "\"Now I have [e],\" said [h.n]");
        s.Ask(QuestionKind.HowMany, "How many [s.many] did [h.name] have {in the end|at the end}?", FactKind.Count, "[h.name]", "had at the end", "[e.count]", now);
        Ending.Close(s, "It was {enough for everybody|enough for the winter|just right}", "[h] {closed the door and was content|was happy with that}", "\"{Counting is easy|To have enough is to be rich},\" [h] said. \"{Sharing is harder|I learned that from my grandmother}.\"");
    }

    /// <summary>How some of it can be lost.</summary>
    private static string Mishap(GoodUse use) => use switch
    {
        GoodUse.Fodder => "a hungry goat got into the house|a young llama got inside|some mice got in|a thief came by",
        GoodUse.Food => "the rain came through the roof|a shelf broke|a thief came by",
        _ => "there was a small fire|the rain came through the roof|a thief came by",
    };
}
