using Puna.Runtime.Constraints;

namespace Puna.Runtime.Chat;

/// <summary>
/// A reply that is text, or calls that follow their schemas: what begins with an opening brace is a call and is masked from there on; anything else is free. After a call
/// nothing may follow but another one, and that only where several are allowed.
/// </summary>
/// <param name="calls">One call.</param>
/// <param name="tokens">The vocabulary.</param>
/// <param name="isParallel">Whether several calls are allowed.</param>
internal sealed class StrictCallConstraint(ITokenConstraint calls, CallTokens tokens, bool isParallel) : ITokenConstraint
{
    private ITokenConstraint Calls => calls;

    private CallTokens Tokens => tokens;

    private bool IsParallel => isParallel;

    private enum Place
    {
        Start,
        Text,
        Call,
        Between,
        AfterSeparator,
    }

    /// <inheritdoc/>
    public ConstraintState Start() => new State(this, Place.Start, calls.Start());

    private sealed class State(StrictCallConstraint owner, Place place, ConstraintState call) : ConstraintState
    {
        private readonly CallTokens _tokens = owner.Tokens;
        private Place _place = place;
        private ConstraintState _call = call;

        /// <inheritdoc/>
        public override bool IsAccepting => _place != Place.Call;

        /// <inheritdoc/>
        public override bool IsFinished => _place == Place.Between && !owner.IsParallel;

        /// <inheritdoc/>
        public override void FillMask(Span<uint> mask)
        {
            if (_place is Place.Call)
            {
                _call.FillMask(mask);
                return;
            }

            bool hasCall = _place == Place.Start || (owner.IsParallel && _place != Place.Text);
            if (hasCall)
            {
                _call.FillMask(mask);
            }

            for (int i = 0; i < mask.Length; i++)
            {
                uint own = hasCall ? mask[i] & At(_tokens.Opening, i) : 0;
                own |= At(_tokens.Stops, i);
                own |= _place switch
                {
                    Place.Start => At(_tokens.Text, i) | At(_tokens.Blank, i),
                    Place.Text => At(_tokens.Plain, i),
                    Place.Between when owner.IsParallel => At(_tokens.Separator, i),
                    _ => 0,
                };
                mask[i] = own;
            }
        }

        /// <inheritdoc/>
        public override bool TryAccept(int token)
        {
            switch (_place)
            {
                case Place.Text:
                    return CallTokens.Has(_tokens.Plain, token);
                case Place.Call:
                    return TakeCall(token);
                case Place.Start when CallTokens.Has(_tokens.Text, token):
                    _place = Place.Text;
                    return true;
                case Place.Start when CallTokens.Has(_tokens.Blank, token):
                    return true;
                case Place.Between when owner.IsParallel && CallTokens.Has(_tokens.Separator, token):
                    _place = Place.AfterSeparator;
                    return true;
                default:
                    return (_place == Place.Start || owner.IsParallel) && CallTokens.Has(_tokens.Opening, token) && TakeCall(token);
            }
        }

        /// <inheritdoc/>
        public override ConstraintState Clone() => new State(owner, _place, _call.Clone());

        private bool TakeCall(int token)
        {
            if (!_call.TryAccept(token))
            {
                return false;
            }

            _place = Place.Call;
            if (_call.IsAccepting)
            {
                _place = Place.Between;
                _call = owner.Calls.Start();
            }

            return true;
        }

        private static uint At(uint[] set, int word) => word < set.Length ? set[word] : 0;
    }
}
