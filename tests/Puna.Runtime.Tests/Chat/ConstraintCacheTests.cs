using Puna.Runtime.Chat;
using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Chat;

public class ConstraintCacheTests
{
    [Fact]
    public void WhatWasCompiledIsKept()
    {
        ScriptedCompiler compiler = new((_, _) => new UnionConstraint([]));
        ConstraintCache cache = Cache(compiler, 1000);
        ITokenConstraint first = cache.Get(ReplyFormatKind.Regex, "a", TestContext.Current.CancellationToken);
        Assert.Same(first, cache.Get(ReplyFormatKind.Regex, "a", TestContext.Current.CancellationToken));
        Assert.NotSame(first, cache.Get(ReplyFormatKind.Grammar, "a", TestContext.Current.CancellationToken));
        Assert.Equal([(ReplyFormatKind.Regex, "a"), (ReplyFormatKind.Grammar, "a")], compiler.Asked);
    }

    [Fact]
    public void TheLatestUsedStayWithinTheBytes()
    {
        // Each takes 100 bytes and two for its definition.
        ScriptedCompiler compiler = new((_, _) => new UnionConstraint([]));
        ConstraintCache cache = Cache(compiler, 210);
        foreach (string definition in (string[])["a", "b", "a", "c", "a", "b"])
            cache.Get(ReplyFormatKind.Regex, definition, TestContext.Current.CancellationToken);
        Assert.Equal(["a", "b", "c", "b"], compiler.Asked.Select(static asked => asked.Definition));
        Assert.Equal(2, cache.Count);
        Assert.Equal(0, Large().Count);

        ConstraintCache Large()
        {
            ConstraintCache small = Cache(compiler, 50);
            small.Get(ReplyFormatKind.Regex, "a", TestContext.Current.CancellationToken);
            return small;
        }
    }

    [Fact]
    public void FailuresAreNotKept()
    {
        int calls = 0;
        ScriptedCompiler compiler = new((_, _) => ++calls == 1 ? throw new PunaException("no") : new UnionConstraint([]));
        ConstraintCache cache = Cache(compiler, 1000);
        Assert.Throws<PunaException>(() => cache.Get(ReplyFormatKind.Regex, "a", TestContext.Current.CancellationToken));
        Assert.NotNull(cache.Get(ReplyFormatKind.Regex, "a", TestContext.Current.CancellationToken));
    }

    [Fact]
    public void ACompilationThatTakesTooLongIsAnError()
    {
        ConstraintCache cache = new(new Endless(), 1000, TimeSpan.FromMilliseconds(20), TimeProvider.System);
        Assert.Equal("constraint: expected one that compiles within 0.02 s, got one that does not", Assert.Throws<PunaException>(() => cache.Get(ReplyFormatKind.Regex, "a", TestContext.Current.CancellationToken)).Message);
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Cache(new Endless(), 1000).Get(ReplyFormatKind.Regex, "a", cancel.Token));
    }

    private static ConstraintCache Cache(IConstraintCompiler compiler, long bytes) => new(compiler, bytes, TimeSpan.FromSeconds(30), TimeProvider.System);

    private sealed class Endless : IConstraintCompiler
    {
        public (ITokenConstraint Constraint, long Bytes) Compile(ReplyFormatKind kind, string definition, CancellationToken cancel)
        {
            cancel.WaitHandle.WaitOne();
            cancel.ThrowIfCancellationRequested();
            return default;
        }
    }
}
