using Puna.Tensors;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>A machine made deterministic as far as it is asked, with the masks of its states. Shared by all requests of a constraint, under a lock.</summary>
internal sealed class LazyAutomaton(ByteMachine machine, VocabularyTrie vocabulary, ConstraintLimits limits)
{
    private const int MostStates = 50_000;
    private const int MostMasks = 512;

    /// <summary>Bytes of tokens whose looking at costs about as much as a reading that follows one.</summary>
    private const int BytesPerStep = 16;

    // With its place in the table; what is open is counted where it is met first.
    private const int StateBytes = 272;
    private const int ReadingBytes = 88;
    private const int StepBytes = 8;
    private const int ExtraBytes = 1048;

    private readonly Lock _lock = new();
    private readonly Dictionary<Configuration[], LazyState> _states = new(new ConfigurationsComparer());
    private readonly List<Configuration> _scratch = [];
    private readonly HashSet<Configuration> _seen = [];
    private readonly LazyState?[] _path = new LazyState?[Math.Max(vocabulary.All.MaxDepth, vocabulary.Rest.MaxDepth) + 1];
    private int _masks;
    private long _bytes;
    private long _visit;

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

    /// <summary>The limits on what masks cost.</summary>
    public ConstraintLimits Limits => limits;

    /// <summary>The exact readings after one more byte; empty where it is not allowed.</summary>
    /// <param name="from">The readings before.</param>
    /// <param name="b">The byte.</param>
    /// <param name="steps">Steps taken, to which these are added.</param>
    public Configuration[] Step(Configuration[] from, byte b, ref int steps)
    {
        var output = new List<Configuration>();
        foreach (Configuration configuration in from)
        {
            Count(ref steps, machine.Weight(configuration));
            Count(ref steps, machine.Step(configuration, b, true, output));
        }

        return Distinct(output);
    }

    public bool IsAccepting(Configuration[] configurations) => Array.Exists(configurations, machine.IsAccepting);

    /// <summary>Whether the text is complete and nothing may follow.</summary>
    /// <param name="configurations">The readings.</param>
    /// <param name="steps">Steps taken, to which these are added.</param>
    public bool IsFinished(Configuration[] configurations, ref int steps)
    {
        lock (_lock)
        {
            try
            {
                LazyState state = Intern(configurations);
                if (!state.Accepting)
                {
                    return false;
                }

                for (int b = 0; b < 256; b++)
                {
                    if (Follow(state, (byte)b, ref steps) is not null)
                    {
                        return false;
                    }
                }

                return true;
            }
            finally
            {
                Shrink();
            }
        }
    }

    /// <summary>Writes which tokens may follow.</summary>
    /// <param name="configurations">The readings.</param>
    /// <param name="mask">Shape [words].</param>
    /// <returns>Steps taken, counted as if nothing were known of earlier masks.</returns>
    /// <exception cref="PunaException">They are more than one mask may take.</exception>
    public int FillMask(Configuration[] configurations, Span<uint> mask)
    {
        if (mask.Length < vocabulary.Words)
        {
            throw new PunaException($"mask: expected at least {vocabulary.Words} words, got {mask.Length} (constraint)");
        }

        mask[vocabulary.Words..].Clear();
        lock (_lock)
        {
            try
            {
                LazyState state = Intern(configurations);
                if (state.Mask is null)
                {
                    state.MaskSteps = Compute(state, mask[..vocabulary.Words]);
                    Keep(state, mask[..vocabulary.Words]);
                }
                else
                {
                    state.Mask.CopyTo(mask);
                }

                return state.MaskSteps;
            }
            finally
            {
                Shrink();
            }
        }
    }

    private void Keep(LazyState state, ReadOnlySpan<uint> mask)
    {
        if (_masks == MostMasks)
        {
            foreach (LazyState other in _states.Values)
            {
                other.Mask = null;
            }

            Interlocked.Add(ref _bytes, -(long)_masks * MaskBytes);
            _masks = 0;
        }

        state.Mask = mask.ToArray();
        Interlocked.Add(ref _bytes, MaskBytes);
        _masks++;
    }

    /// <summary>Forgets everything where it has become too much. Only between masks: their steps are counted by the states they meet, which must not be met twice.</summary>
    private void Shrink()
    {
        Array.Clear(_path);
        if (_states.Count >= MostStates || _bytes > limits.MaxBytes)
        {
            _states.Clear();
            _states.TrimExcess();
            _masks = 0;
            Interlocked.Exchange(ref _bytes, 0);
        }
    }

    private void Count(ref int steps, int more)
    {
        if ((steps = (int)Math.Min((long)steps + more, int.MaxValue)) > limits.MaxMaskSteps)
        {
            throw new PunaException($"constraint: expected masks of at most {limits.MaxMaskSteps} steps each, got one of more: it has too many ways to go on (constraint)");
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

    private int Compute(LazyState state, Span<uint> mask)
    {
        mask.Clear();
        _visit++;
        int steps = 0;
        int bytes = 0;
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
            bytes++;
            LazyState? to;
            if (from.Visit(_visit, label[i]))
            {
                to = Follow(from, label[i], ref steps);
            }
            else
            {
                from.TryNext(label[i], out to);
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

        Count(ref steps, bytes / BytesPerStep);
        return steps;
    }

    /// <summary>What follows a byte. Its steps are counted as if it were not known.</summary>
    private LazyState? Follow(LazyState from, byte b, ref int steps)
    {
        if (from.TryNext(b, out LazyState? known))
        {
            Count(ref steps, from.Steps(b));
            return known;
        }

        Count(ref steps, from.Weight);
        int before = steps;
        _scratch.Clear();
        foreach (Configuration configuration in from.Configurations)
        {
            Count(ref steps, machine.Step(configuration, b, false, _scratch));
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
        if (steps != before)
        {
            Interlocked.Add(ref _bytes, from.HasExtra ? 0 : ExtraBytes);
            from.SetExtra(b, steps - before);
        }

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
            int weight = 0;
            long bytes = StateBytes;
            foreach (Configuration configuration in key)
            {
                weight += machine.Weight(configuration);
                bytes += ReadingBytes + (configuration.Key is { } name ? 24 + (sizeof(char) * name.Length) : 0);
                if (configuration.Frame is { IsCounted: false } frame)
                {
                    frame.IsCounted = true;
                    bytes += frame.Bytes;
                }
            }

            state = new(key, Array.Exists(key, machine.IsAccepting), weight);
            _states.Add(key, state);
            Interlocked.Add(ref _bytes, bytes);
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
