namespace Puna.Training.Data.Altiplano;

/// <summary>Conversations without end about the world of the stories: each is a pure function of a seed and an index, and comes with judges for its replies.</summary>
public static class AltiplanoChat
{
    private const uint Stream = 2;

    /// <summary>Makes a conversation of whatever kind the index has.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="index">Which conversation, 0 or more.</param>
    public static AltiplanoConversation Create(ulong seed, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        int roll = new Dice(seed, Stream, index).Below(100);
        ConversationKind kind = roll switch
        {
            < 22 => ConversationKind.Story,
            < 54 => ConversationKind.Question,
            < 65 => ConversationKind.Sum,
            < 72 => ConversationKind.Tool,
            < 84 => ConversationKind.Format,
            < 93 => ConversationKind.Talk,
            _ => ConversationKind.Refusal,
        };
        return Create(seed, index, kind);
    }

    /// <summary>Makes a conversation of one kind.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="index">Which conversation, 0 or more.</param>
    /// <param name="kind">The kind.</param>
    public static AltiplanoConversation Create(ulong seed, long index, ConversationKind kind)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var chat = new ChatBuilder(new Dice(seed, Stream + 1 + (uint)kind, index));
        switch (kind)
        {
            case ConversationKind.Story:
                StoryChats.Story(chat, StoryTeller.Tell(seed, index));
                break;
            case ConversationKind.Question:
                StoryChats.Question(chat, StoryTeller.Tell(seed, index));
                break;
            case ConversationKind.Sum:
                SumChats.Sum(chat);
                break;
            case ConversationKind.Tool:
                SumChats.Tool(chat);
                break;
            case ConversationKind.Format:
                FormatChats.Task(chat);
                break;
            case ConversationKind.Talk:
                TalkChats.Talk(chat);
                break;
            default:
                TalkChats.Refusal(chat);
                break;
        }

        return chat.Build(index, kind);
    }
}
