namespace Puna.Training.Data.Altiplano;

/// <summary>Conversations that ask for a story, or about one.</summary>
internal static class StoryChats
{
    private const string Systems = "{You are a kind storyteller.|You tell short stories about the altiplano.|You are Puna, a storyteller from the mountains.}";

    public static void Story(ChatBuilder chat, AltiplanoStory story)
    {
        if (chat.Dice.Chance(25))
        {
            chat.System(chat.Choose(Systems));
        }

        string topic = TopicOf(story.Plot);
        switch (chat.Dice.Below(5))
        {
            case 0:
                chat.User(chat.Choose($"{{Tell me a story.|Please tell me a story.|I would like to hear a story.|Do you know a story?|Tell me a short story, please.}}"));
                chat.Reply(story.Text, new StoryCheck(null));
                break;
            case 1 or 2:
                chat.User(chat.Choose($"{{Tell me a story about|Please tell me a story about|I want to hear a story about|Write a short story about}} {topic}") + ".");
                chat.Reply(story.Text, new StoryCheck(null));
                break;
            case 3:
                chat.User(chat.Choose($"{{Tell me a story about|Write a story about|I would like a story about}} {{somebody called|a person named}} {story.Hero}") + ".");
                chat.Reply(story.Text, new StoryCheck(story.Hero));
                break;
            default:
                chat.User(chat.Choose($"{{Tell me about {story.Hero} and {topic}.|Write a story about {topic}. The name of the hero is {story.Hero}.}}"));
                chat.Reply(story.Text, new StoryCheck(story.Hero));
                break;
        }

        if (chat.Dice.Chance(30) && story.Questions.Count > 0)
        {
            Ask(chat, story.Questions[chat.Dice.Below(story.Questions.Count)], false);
        }
    }

    public static void Question(ChatBuilder chat, AltiplanoStory story)
    {
        if (chat.Dice.Chance(20))
        {
            chat.System(chat.Choose("{Answer questions about the story in a few words.|Read the story and answer the question.}"));
        }

        int first = chat.Dice.Below(story.Questions.Count);
        AltiplanoQuestion question = story.Questions[first];
        chat.User(chat.Choose("{Read this story.|Here is a story.|Listen to this story.}") + "\n\n" + story.Text + "\n\n" + question.Text);
        Answer(chat, question);
        if (story.Questions.Count > 1 && chat.Dice.Chance(35))
        {
            Ask(chat, story.Questions[(first + chat.Dice.Between(1, story.Questions.Count - 1)) % story.Questions.Count], true);
        }
    }

    private static void Ask(ChatBuilder chat, AltiplanoQuestion question, bool again)
    {
        chat.User((again && chat.Dice.Chance(30) ? "And one more question. " : "") + question.Text);
        Answer(chat, question);
    }

    private static void Answer(ChatBuilder chat, AltiplanoQuestion question)
    {
        string answer = question.Kind == QuestionKind.Why && !question.Answer.StartsWith("to ", StringComparison.Ordinal) ? "Because " + question.Answer : English.Capital(question.Answer);
        chat.Reply(answer + ".", new ContainsCheck([question.Answer]));
    }

    private static string TopicOf(string plot) => plot switch
    {
        "lost llama" => "{a lost llama|a llama that ran away}",
        "storm" => "{a storm|a great storm in the mountains}",
        "trade" => "{the market|a trader and a fair price|a trip to the market}",
        "borrowed thing" => "{something borrowed|a borrowed thing that broke}",
        "illness" => "{a healer|somebody who is ill}",
        "festival" => "{a festival|a feast in the village}",
        "broken bridge" => "{a broken bridge|a bridge over the river}",
        "drought" => "{a time without rain|the search for water}",
        "secret" => "{a secret|a kind secret}",
        "race" => "{a race|a llama race}",
        "new-born llama" => "{a baby llama|the birth of a llama}",
        "quarrel" => "{a quarrel|two friends who quarrel}",
        "helper" => "{a good deed|helping somebody}",
        "gift" => "{a present|a birthday present}",
        "stranger" => "{a stranger|a stranger who comes to the village}",
        "learning" => "{learning something new|somebody who learns a craft}",
        "counting" => "{counting things|somebody who counts what is in the barn}",
        "strange night" => "{a strange night|something strange in the dark}",
        _ => throw new InvalidOperationException($"plot {plot}: has no topic"),
    };
}
