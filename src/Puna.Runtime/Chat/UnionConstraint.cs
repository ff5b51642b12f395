using Puna.Runtime.Constraints;

namespace Puna.Runtime.Chat;

/// <summary>A text that meets one of several constraints.</summary>
/// <param name="parts">At least one.</param>
internal sealed class UnionConstraint(IReadOnlyList<ITokenConstraint> parts) : ITokenConstraint
{
    /// <summary>One of several, or the only one itself.</summary>
    public static ITokenConstraint Of(IReadOnlyList<ITokenConstraint> parts) => parts.Count == 1 ? parts[0] : new UnionConstraint(parts);

    /// <inheritdoc/>
    public ConstraintState Start()
    {
        var states = new ConstraintState[parts.Count];
        for (int i = 0; i < states.Length; i++)
        {
            states[i] = parts[i].Start();
        }

        return new State(states);
    }

    private sealed class State(ConstraintState?[] states) : ConstraintState
    {
        private readonly bool[] _refuses = new bool[states.Length];
        private uint[] _mask = [];

        /// <inheritdoc/>
        public override bool IsAccepting => Array.Exists(states, static s => s is { IsAccepting: true });

        /// <inheritdoc/>
        public override bool IsFinished => Array.TrueForAll(states, static s => s is null or { IsFinished: true });

        /// <inheritdoc/>
        public override void FillMask(Span<uint> mask)
        {
            if (_mask.Length < mask.Length)
            {
                _mask = new uint[mask.Length];
            }

            mask.Clear();
            Span<uint> one = _mask.AsSpan(0, mask.Length);
            foreach (ConstraintState? state in states)
            {
                if (state is null)
                {
                    continue;
                }

                state.FillMask(one);
                for (int i = 0; i < one.Length; i++)
                {
                    mask[i] |= one[i];
                }
            }
        }

        /// <inheritdoc/>
        public override bool TryAccept(int token)
        {
            // A state that refuses a token is as before, so all are as before where all refuse.
            bool isAccepted = false;
            for (int i = 0; i < states.Length; i++)
            {
                _refuses[i] = states[i] is { } state && !state.TryAccept(token);
                isAccepted |= states[i] is not null && !_refuses[i];
            }

            for (int i = 0; isAccepted && i < states.Length; i++)
            {
                if (_refuses[i])
                {
                    states[i] = null;
                }
            }

            return isAccepted;
        }

        /// <inheritdoc/>
        public override ConstraintState Clone() => new State(Array.ConvertAll(states, static s => s?.Clone()));
    }
}
