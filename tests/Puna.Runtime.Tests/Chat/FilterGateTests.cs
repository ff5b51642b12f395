using Puna.Runtime.Chat;
using Puna.Runtime.Filtering;
using Puna.Text.Chat;

namespace Puna.Runtime.Tests.Chat;

public class FilterGateTests
{
    [Fact]
    public async Task OneIsJudgedAtATimeAndNobodyIsHeldUpWhoWaits()
    {
        using var slow = new Slow();
        var gate = new FilterGate(slow);
        ChatMessage[] conversation = [new(ChatRole.User, "x")];
        Task<ContentVerdict> first = gate.CheckAsync(conversation, TestContext.Current.CancellationToken);
        using var leave = new CancellationTokenSource();
        Task<ContentVerdict> second = gate.CheckAsync(conversation, leave.Token), third = gate.CheckAsync(conversation, TestContext.Current.CancellationToken);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.False(first.IsCompleted || third.IsCompleted);
        slow.Gate.Set();
        Assert.True((await first).IsAllowed && (await third).IsAllowed);
        Assert.Equal((2, 1), (slow.Asked, slow.Most));
    }

    private sealed class Slow : IContentFilter, IDisposable
    {
        private int _now;

        public ManualResetEventSlim Gate { get; } = new();

        public int Asked { get; private set; }

        public int Most { get; private set; }

        public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default)
        {
            Most = Math.Max(Most, Interlocked.Increment(ref _now));
            Asked++;
            Gate.Wait(TestContext.Current.CancellationToken);
            Interlocked.Decrement(ref _now);
            return ContentVerdict.Allowed;
        }

        public void Dispose() => Gate.Dispose();
    }

    /// <summary>A reply that is begun for the model must not hide what it answers, and is judged as a whole in the end.</summary>
    [Fact]
    public void ABegunReplyIsPartOfTheReply()
    {
        ChatMessage asked = new(ChatRole.User, "How?"), begun = new(ChatRole.Assistant, "First, "), reply = new(ChatRole.Assistant, "you");
        Assert.Equal([asked], FilterGate.Asked([asked, begun]));
        Assert.Equal([asked], FilterGate.Asked([asked]));
        Assert.Equal([begun], FilterGate.Asked([begun]));
        Assert.Equal(["How?", "First, you"], FilterGate.Answered([asked, begun], reply).Select(static m => m.Content));
        Assert.Equal(["How?", "you"], FilterGate.Answered([asked], reply).Select(static m => m.Content));
    }
}
