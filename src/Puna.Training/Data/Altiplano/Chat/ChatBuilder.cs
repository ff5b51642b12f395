using Puna.Text.Chat;

namespace Puna.Training.Data.Altiplano;

/// <summary>Collects the turns of one conversation.</summary>
internal sealed class ChatBuilder(Dice dice)
{
    private readonly List<ChatMessage> _messages = [];
    private readonly List<TurnCheck> _checks = [];

    public Dice Dice => dice;

    /// <summary>Chooses among the readings of a phrasing.</summary>
    public string Choose(string phrasing) => new Narrator(dice).Render(phrasing);

    public void System(string text) => _messages.Add(new ChatMessage(ChatRole.System, text));

    public void User(string text) => _messages.Add(new ChatMessage(ChatRole.User, text));

    public void Reply(string text, IReplyCheck check)
    {
        _checks.Add(new TurnCheck(_messages.Count, check));
        _messages.Add(new ChatMessage(ChatRole.Assistant, text));
    }

    /// <summary>A call of the calculator and its result.</summary>
    public void Calculate(string expression, long result)
    {
        _checks.Add(new TurnCheck(_messages.Count, new ToolCallCheck(result)));
        _messages.Add(new ChatMessage(ChatRole.Assistant, Calculator.Call(expression)) { AwaitsTool = true });
        _messages.Add(new ChatMessage(ChatRole.Tool, result.ToString(global::System.Globalization.CultureInfo.InvariantCulture)));
    }

    public AltiplanoConversation Build(long index, ConversationKind kind) => new(index, kind, _messages, _checks);
}
