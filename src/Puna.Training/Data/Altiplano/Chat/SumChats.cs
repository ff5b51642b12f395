namespace Puna.Training.Data.Altiplano;

/// <summary>Conversations about sums, with and without the calculator.</summary>
internal static class SumChats
{
    public static void Sum(ChatBuilder chat)
    {
        Dice dice = chat.Dice;
        int a = dice.Between(1, 12), b = dice.Between(1, 12);
        switch (dice.Below(7))
        {
            case 0:
                Plain(chat, $"{a} + {b}", $"{{What is {a} plus {b}?|What is {a} + {b}?|{a} + {b} = ?|How much is {a} plus {b}?}}", a + b);
                break;
            case 1:
                Plain(chat, $"{a + b} - {b}", $"{{What is {a + b} minus {b}?|What is {a + b} - {b}?|{a + b} - {b} = ?|How much is {a + b} minus {b}?}}", a);
                break;
            case 2:
                Plain(chat, $"{a} * {b}", $"{{What is {a} times {b}?|How much is {a} times {b}?|{a} * {b} = ?}}", a * b);
                break;
            case 3:
                Told(chat, "{0} has {1}. {2} gives {0} {3} more. How many {4} does {0} have now?", a, b, a + b);
                break;
            case 4:
                Told(chat, "{0} has {1} and sells {3}. How many {4} are left?", a + b, b, a);
                break;
            case 5:
                Told(chat, "{0} has {1}. {5} {3}. How many {4} are left?", a + b, b, a);
                break;
            default:
                Told(chat, "{0} buys {1} and {2} buys {3}. How many {4} do they have together?", a, b, a + b);
                break;
        }
    }

    public static void Tool(ChatBuilder chat)
    {
        Dice dice = chat.Dice;
        chat.System(Calculator.Description);
        string name = Name(dice);
        Good good = dice.Pick<Good>(Goods.All);
        int a = dice.Between(11, 99), b = dice.Between(2, 30), c = dice.Between(2, 50);
        switch (dice.Below(4))
        {
            case 0:
                chat.User(chat.Choose($"{{What is {a} * {b}?|How much is {a} times {b}?|Please compute {a} * {b}.}}"));
                Work(chat, $"{a} * {b}", a * b, $"{a} * {b} is {a * b}.");
                break;
            case 1:
                chat.User($"{name} sells {a} {good.Many} for {b} coins each. How many coins does {name} get?");
                Work(chat, $"{a} * {b}", a * b, $"{name} gets {a * b} coins.");
                break;
            case 2:
                chat.User($"{name} has {a + c} {good.Many}, sells {c} of them and then buys {b} more. How many {good.Many} does {name} have in the end?");
                Work(chat, $"{a + c} - {c} + {b}", a + b, $"{name} has {a + b} {good.Many}.");
                break;
            default:
                chat.User($"{a * b} {good.Many} are shared among {b} families. How many {good.Many} does each family get?");
                Work(chat, $"{a * b} / {b}", a, $"Each family gets {a} {good.Many}.");
                break;
        }
    }

    private static void Work(ChatBuilder chat, string expression, int result, string answer)
    {
        chat.Calculate(expression, result);
        chat.Reply(answer, new NumberCheck(result));
    }

    private static void Plain(ChatBuilder chat, string expression, string question, int result)
    {
        chat.User(chat.Choose(question));
        string number = English.Digits(result);
        chat.Reply(chat.Dice.Chance(50) ? number + "." : $"{expression} = {number}.", new NumberCheck(result));
    }

    private static void Told(ChatBuilder chat, string pattern, int first, int second, int result)
    {
        Good good = chat.Dice.Pick<Good>(Goods.All);
        string name = Name(chat.Dice), other;
        do
        {
            other = Name(chat.Dice);
        }
        while (other == name);
        string text = string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, name, new Stock(good, first).Text(true), other, English.Digits(second), good.Many, good.Use == GoodUse.Fodder ? "A goat eats" : "A thief takes");
        chat.User(text);
        chat.Reply(chat.Dice.Chance(50) ? English.Digits(result) + "." : new Stock(good, result).Text(true) + ".", new NumberCheck(result));
    }

    private static string Name(Dice dice) => dice.Pick<string>(dice.Chance(50) ? WorldTables.Women : WorldTables.Men);
}
