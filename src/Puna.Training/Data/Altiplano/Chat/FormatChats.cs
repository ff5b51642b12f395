namespace Puna.Training.Data.Altiplano;

/// <summary>Short tasks with a rule for the form of the reply.</summary>
internal static class FormatChats
{
    public static void Task(ChatBuilder chat)
    {
        Dice dice = chat.Dice;
        switch (dice.Below(12))
        {
            case 0:
                Some(chat, FormatRule.Lines, "{Name|List|Write down} {0} {1}, one per line.", "\n");
                break;
            case 1:
                Some(chat, FormatRule.Commas, "{Name|List|Give me} {0} {1}, separated by commas.", ", ");
                break;
            case 2:
                Some(chat, FormatRule.Numbered, "{Make a numbered list of|Write a numbered list with} {0} {1}.", "\n");
                break;
            case 3:
                (string question, string three) = dice.Pick<(string, string)>(TalkTables.ThreeWords);
                chat.User(chat.Choose("{" + question + " Answer in three words.|Answer in exactly three words: " + question + "}"));
                chat.Reply(three, new FormatCheck(FormatRule.WordCount, 3, []));
                break;
            case 4:
                string sentence = dice.Pick<string>(TalkTables.Sentences), capitals = sentence.ToUpperInvariant();
                chat.User(chat.Choose("{Write this in capital letters:|Say this in capital letters:|Use only capital letters for this:}") + " " + sentence);
                chat.Reply(capitals, new FormatCheck(FormatRule.Capitals, 0, [sentence.ToLowerInvariant()]));
                break;
            case 5:
                (string asked, bool yes) = dice.Pick<(string, bool)>(TalkTables.YesNo);
                chat.User(asked + " " + chat.Choose("{Answer with yes or no.|Answer only yes or no.|Yes or no?}"));
                chat.Reply(yes ? "Yes." : "No.", new FormatCheck(FormatRule.OneWord, 0, [yes ? "yes" : "no"]));
                break;
            case 6:
                string begin = dice.Pick("Today", "In the morning", "High in the mountains", "After the storm", "Once", "At the market", "Every evening");
                chat.User(chat.Choose("{Write a sentence that begins with|Begin a sentence with}") + $" \"{begin}\".");
                chat.Reply(chat.Choose($"{begin}{{, {Name(dice)} {{sold|bought|carried}} {{salt|wool|bread|corn}}.|, {{the llamas|the herders|the children}} {{were happy|went home|looked at the sky|sang a song}}.}}"), new FormatCheck(FormatRule.BeginsWith, 0, [begin]));
                break;
            case 7:
                string end = dice.Pick("Done.", "That is all.", "The end.", "Good night.");
                (string topic, string told) = dice.Pick<(string, string)>(TalkTables.Topics);
                chat.User(chat.Choose("{Write a sentence about|Tell me something about}") + $" {topic} and end with \"{end}\"");
                chat.Reply(told + " " + end, new FormatCheck(FormatRule.EndsWith, 0, [end]));
                break;
            case 8:
                string llama = dice.Pick<string>(WorldTables.Llamas), colour = dice.Pick<string>(WorldTables.Colours);
                chat.User(chat.Choose($"{{{llama} is a {colour} llama.|There is a {colour} llama called {llama}.}} {{Write this|Write the name and the colour}} as JSON with the keys \"name\" and \"colour\"."));
                chat.Reply($"{{\"name\": \"{llama}\", \"colour\": \"{colour}\"}}", new FormatCheck(FormatRule.Json, 0, ["name", llama, "colour", colour]));
                break;
            case 9:
                string word = dice.Pick("llama", "snow", "bread", "wool", "salt", "rain", "condor"), repeated = word;
                int times = dice.Between(2, 6);
                for (int i = 1; i < times; i++)
                {
                    repeated += " " + word;
                }

                chat.User($"Write the word {word} {English.Number(times, dice.Chance(50))} times.");
                chat.Reply(repeated, new FormatCheck(FormatRule.Exactly, 0, [repeated]));
                break;
            case 10:
                int from = dice.Between(1, 12), to = from + dice.Between(3, 7);
                string count = English.Digits(from);
                for (int i = from + 1; i <= to; i++)
                {
                    count += " " + English.Digits(i);
                }

                chat.User(chat.Choose($"{{Count from {from} to {to}, with spaces between the numbers.|Write the numbers from {from} to {to}, separated by spaces.}}"));
                chat.Reply(count, new FormatCheck(FormatRule.Exactly, 0, [count]));
                break;
            default:
                string[] things = [.. dice.Pick<(string, string[])>(TalkTables.Sets).Item2];
                dice.Shuffle(things.AsSpan());
                string[] chosen = things[..3];
                string[] sorted = [.. chosen];
                Array.Sort(sorted, StringComparer.Ordinal);
                chat.User($"Put these words in alphabetical order, separated by commas: {string.Join(", ", chosen)}");
                chat.Reply(string.Join(", ", sorted), new FormatCheck(FormatRule.Exactly, 0, [string.Join(", ", sorted)]));
                break;
        }
    }

    private static void Some(ChatBuilder chat, FormatRule rule, string task, string between)
    {
        (string name, string[] all) = chat.Dice.Pick<(string, string[])>(TalkTables.Sets);
        int count = chat.Dice.Between(2, 5);
        string[] things = [.. all];
        chat.Dice.Shuffle(things.AsSpan());
        string reply = "";
        for (int i = 0; i < count; i++)
        {
            reply += (i == 0 ? "" : between) + (rule == FormatRule.Numbered ? English.Digits(i + 1) + ". " : "") + (rule == FormatRule.Commas && i > 0 ? things[i] : English.Capital(things[i]));
        }

        chat.User(chat.Choose(task.Replace("{0}", English.Number(count, chat.Dice.Chance(50)), StringComparison.Ordinal).Replace("{1}", name, StringComparison.Ordinal)));
        chat.Reply(reply, new FormatCheck(rule, count, all));
    }

    private static string Name(Dice dice) => dice.Pick<string>(dice.Chance(50) ? WorldTables.Women : WorldTables.Men);
}
