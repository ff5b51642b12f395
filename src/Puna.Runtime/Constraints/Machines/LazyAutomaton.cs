using Puna.Tensors;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>A machine made deterministic as far as it is asked, with the masks of its states. Shared by all requests of a constraint, under a lock.</summary>
internal sealed class LazyAutomaton(ByteMachine machine, VocabularyTrie vocabulary, ConstraintLimits limits)
{
    private const int MostStates = 50_000;
    private const int MostMasks = 512;

    // With its place in the table; readings share what is open, which is counted with the one that opened it.
    private const int StateBytes = 208;
    private const int ReadingBytes = 120;
    private const int StepBytes = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<Configuration[], LazyState> _states = new(new ConfigurationsComparer());
    private readonly List<Configuration> _scratch = [];
    private readonly HashSet<Configuration> _seen = [];
    private readonly LazyState?[] _path = new LazyState?[Math.Max(vocabulary.All.MaxDepth, vocabulary.Rest.MaxDepth) + 1];
    private int _masks;
    private long _bytes;

    /// <summary>About how many bytes the states and masks take; any thread.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    private int MaskBytes => (vocabulary.Words * sizeof(uint)) + 24;

    public VocabularyTrie Vocabulary => vocabulary;

    public Configuration[] Start()
    {
        var output = new List<Configuration>();
        machine.Start(output);
        return Distinct(output);
    }

    /// <summary>The exact readings after one more byte; empty where it is not allowed.</summary>
    public Configuration[] Step(Configuration[] from, byte b)
    {
        var output = new List<Configuration>();
        foreach (Configuration configuration in from)
        {
            machine.Step(configuration, b, true, output);
        }

        return Distinct(output);
    }

    public bool IsAccepting(Configuration[] configurations) => Array.Exists(configurations, machine.IsAccepting);

    public bool IsFinished(Configuration[] configurations)
    {
        lock (_lock)
        {
            LazyState state = Intern(configurations);
            if (!state.Accepting)
            {
                return false;
            }

            for (int b = 0; b < 256; b++)
            {
                if (Next(state, (byte)b) is not null)
                {
                    return false;
                }
            }

            return true;
        }
    }

    public void FillMask(Configuration[] configurations, Span<uint> mask)
    {
        if (mask.Length < vocabulary.Words)
        {
            throw new PunaException($"mask: expected at least {vocabulary.Words} words, got {mask.Length} (constraint)");
        }

        mask[vocabulary.Words..].Clear();
        lock (_lock)
        {
            LazyState state = Intern(configurations);
            if (state.Mask is null)
            {
                Compute(state, mask[..vocabulary.Words]);
                if (_masks == MostMasks)
                {
                    foreach (LazyState other in _states.Values)
                    {
                        other.Mask = null;
                    }

                    Interlocked.Add(ref _bytes, -(long)_masks * MaskBytes);
                    _masks = 0;
                }

                state.Mask = mask[..vocabulary.Words].ToArray();
                Interlocked.Add(ref _bytes, MaskBytes);
                _masks++;
            }
            else
            {
                state.Mask.CopyTo(mask);
            }
        }
    }

    private Configuration[] Distinct(List<Configuration> configurations)
    {
        if (configurations.Count <= 1)
        {
            return [.. configurations];
        }

        Configuration[] distinct = [.. configurations.Distinct()];
        return distinct.Length <= limits.MaxConfigurations
            ? distinct
            : throw new PunaException($"readings of the text: expected at most {limits.MaxConfigurations}, got {distinct.Length} (constraint)");
    }

    private void Compute(LazyState state, Span<uint> mask)
    {
        mask.Clear();
        TokenTree tree = vocabulary.All;
        foreach (Configuration configuration in state.Configurations)
        {
            (int count, bool exact) = machine.Coverage(configuration);
            if (count == int.MaxValue || (exact && state.Configurations.Length == 1))
            {
                vocabulary.Printable(count).CopyTo(mask);
                tree = vocabulary.Rest;
                break;
            }
        }

        byte[] label = tree.Label;
        ushort[] depth = tree.Depth;
        int[] token = tree.Token;
        int[] skip = tree.Skip;
        _path[0] = state;
        for (int i = 0; i < label.Length;)
        {
            int d = depth[i];
            LazyState from = _path[d]!;
            if (!from.TryNext(label[i], out LazyState? to))
            {
                to = Next(from, label[i]);
            }

            if (to is null)
            {
                i = skip[i];
                continue;
            }

            _path[d + 1] = to;
            for (int t = token[i]; t >= 0; t = tree.SameAs[t])
            {
                mask[t >> 5] |= 1u << (t & 31);
            }

            i++;
        }

        if (state.Accepting)
        {
            foreach (int end in vocabulary.EndTokens)
            {
                mask[end >> 5] |= 1u << (end & 31);
            }
        }
    }

    private LazyState? Next(LazyState from, byte b)
    {
        if (from.TryNext(b, out LazyState? known))
        {
            return known;
        }

        _scratch.Clear();
        foreach (Configuration configuration in from.Configurations)
        {
            machine.Step(configuration, b, false, _scratch);
        }

        LazyState? to = null;
        if (_scratch.Count == 1)
        {
            to = Intern([_scratch[0]]);
        }
        else if (_scratch.Count > 1)
        {
            _seen.Clear();
            _scratch.RemoveAll(configuration => !_seen.Add(configuration));
            to = _scratch.Count <= limits.MaxConfigurations
                ? Intern([.. _scratch])
                : throw new PunaException($"readings of the text: expected at most {limits.MaxConfigurations}, got {_scratch.Count} (constraint)");
        }

        from.Set(b, to);
        if (to is not null)
        {
            Interlocked.Add(ref _bytes, StepBytes);
        }

        return to;
    }

    private LazyState Intern(Configuration[] configurations)
    {
        Configuration[] key = configurations;
        for (int i = 0; i < configurations.Length; i++)
        {
            Configuration reduced = machine.ForLookahead(configurations[i]);
            if (!ReferenceEquals(reduced, configurations[i]))
            {
                key = ReferenceEquals(key, configurations) ? (Configuration[])configurations.Clone() : key;
                key[i] = reduced;
            }
        }

        if (!_states.TryGetValue(key, out LazyState? state))
        {
            if (_states.Count >= MostStates)
            {
                // States in use stay alive through their holders.
                _states.Clear();
                _masks = 0;
                Interlocked.Exchange(ref _bytes, 0);
            }

            state = new(key, Array.Exists(key, machine.IsAccepting));
            _states.Add(key, state);
            Interlocked.Add(ref _bytes, StateBytes + ((long)ReadingBytes * key.Length));
        }

        return state;
    }

    private sealed class ConfigurationsComparer : IEqualityComparer<Configuration[]>
    {
        public bool Equals(Configuration[]? x, Configuration[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(Configuration[] obj)
        {
            int hash = obj.Length;
            foreach (Configuration configuration in obj)
            {
                hash = (hash * 31) + configuration.GetHashCode();
            }

            return hash;
        }
    }
}
