using Puna.Runtime.Chat;
using Puna.Runtime.Constraints;
using Puna.Text;

namespace Puna.Runtime.Tests.Chat;

/// <summary>A constraint that one text alone meets, token by token as the tokenizer writes it: so a test decides what a model says.</summary>
internal sealed class ForcedText(Tokenizer tokenizer, string text) : ITokenConstraint
{
    private readonly int[] _ids = tokenizer.Encode(text);
    private readonly IReadOnlyList<int> _stops = tokenizer.StopIds;

    public ConstraintState Start() => new State(this, 0);

    private sealed class State(ForcedText owner, int at) : ConstraintState
    {
        private int _at = at;

        public override bool IsAccepting => _at == owner._ids.Length;

        public override bool IsFinished => IsAccepting;

        public override void FillMask(Span<uint> mask)
        {
            mask.Clear();
            foreach (int id in IsAccepting ? owner._stops : [owner._ids[_at]])
                mask[id >> 5] |= 1u << (id & 31);
        }

        public override bool TryAccept(int token)
        {
            bool fits = !IsAccepting && owner._ids[_at] == token;
            _at += fits ? 1 : 0;
            return fits;
        }

        public override ConstraintState Clone() => new State(owner, _at);
    }
}

/// <summary>Hands out constraints of a test's choice, and remembers what was asked for.</summary>
internal sealed class ScriptedCompiler(Func<ReplyFormatKind, string, ITokenConstraint> compile) : IConstraintCompiler
{
    public List<(ReplyFormatKind Kind, string Definition)> Asked { get; } = [];

    public (ITokenConstraint Constraint, long Bytes) Compile(ReplyFormatKind kind, string definition, CancellationToken cancel)
    {
        Asked.Add((kind, definition));
        return (compile(kind, definition), 100);
    }
}
