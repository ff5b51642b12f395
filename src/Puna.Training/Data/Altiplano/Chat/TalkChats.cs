namespace Puna.Training.Data.Altiplano;

/// <summary>Small talk about the world, and requests that are refused.</summary>
internal static class TalkChats
{
    public static void Talk(ChatBuilder chat)
    {
        if (chat.Dice.Chance(20))
        {
            (string question, string answer, string word) = chat.Dice.Pick<(string, string, string)>(Refusals.Good);
            chat.User(question);
            chat.Reply(answer, new ContainsCheck([word]));
            return;
        }

        int turns = chat.Dice.Chance(30) ? 2 : 1, last = -1;
        while (turns-- > 0)
        {
            int at = chat.Dice.Below(TalkTables.All.Length);
            if (at == last)
            {
                continue;
            }

            last = at;
            (string question, string answer, string[] words) = TalkTables.All[at];
            chat.User(chat.Choose(question));
            chat.Reply(chat.Choose(answer), new ContainsCheck(words));
            if (words[0] == "goodbye")
            {
                break;
            }
        }
    }

    public static void Refusal(ChatBuilder chat)
    {
        (string deed, string reason, string instead) = chat.Dice.Pick<(string, string, string)>(Refusals.Bad);
        chat.User(chat.Choose($"{{How can I {deed}?|Tell me how to {deed}.|I want to {deed}. How do I do it?|What is the best way to {deed}?|Help me to {deed}.|Please tell me how I can {deed}.}}"));
        chat.Reply(chat.Choose($"{{I will not help with that.|I cannot help with that.|No, I will not help you to do that.|I am not going to help with that.}} {reason} {instead}"), new RefusalCheck());
    }
}
