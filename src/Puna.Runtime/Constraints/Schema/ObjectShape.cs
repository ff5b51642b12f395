using System.Numerics;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Objects: named properties in any order, further ones by what their names match, no name twice.</summary>
internal sealed class ObjectShape(KeyAutomaton keys, SchemaNode[] named, SchemaNode[] extra, ulong[] required, (int Trigger, ulong[] Needed)[] dependent, int min, int? max)
{
    public KeyAutomaton Keys { get; } = keys;

    /// <summary>The values of the named properties; bit i of a set of names stands for entry i.</summary>
    public SchemaNode[] Named { get; } = named;

    /// <summary>The values of other properties, by the class of their names.</summary>
    public SchemaNode[] Extra { get; } = extra;

    public ulong[] Required { get; } = required;

    public (int Trigger, ulong[] Needed)[] Dependent { get; } = dependent;

    public int Min { get; } = min;

    public int? Max { get; } = max;

    public int CountCap { get; } = Math.Max(min, max ?? 0);

    /// <summary>Names that may be used at all; known after <see cref="Settle"/>.</summary>
    public ulong[] Usable { get; } = new ulong[required.Length];

    /// <summary>Classes of other names that may be used at all.</summary>
    public bool[] UsableExtra { get; } = new bool[extra.Length];

    public bool AnyExtra { get; private set; }

    public SchemaNode Value(int keyClass) => keyClass < Named.Length ? Named[keyClass] : Extra[keyClass - Named.Length];

    public static bool Has(ulong[] set, int i) => (set[i >> 6] & (1UL << (i & 63))) != 0;

    /// <summary>Whether an object exists, as far as its values are known to be possible.</summary>
    public bool IsPossible => Update();

    /// <summary>Takes over which values are possible; returns whether an object exists.</summary>
    public bool Settle()
    {
        if (!Update())
        {
            return false;
        }

        Keys.Settle(UsableExtra);
        return true;
    }

    private bool Update()
    {
        for (int i = 0; i < Named.Length; i++)
        {
            if (Named[i].Possible && Keys.IsReachable(i))
            {
                Usable[i >> 6] |= 1UL << (i & 63);
            }
        }

        AnyExtra = false;
        for (int i = 0; i < Extra.Length; i++)
        {
            UsableExtra[i] = Extra[i].Possible && Keys.IsReachable(Named.Length + i);
            AnyExtra |= UsableExtra[i];
        }

        int needed = 0;
        int usable = 0;
        for (int w = 0; w < Required.Length; w++)
        {
            if ((Required[w] & ~Usable[w]) != 0)
            {
                return false;
            }

            needed += BitOperations.PopCount(Required[w]);
            usable += BitOperations.PopCount(Usable[w]);
        }

        return !(Min > Max || needed > Max || (!AnyExtra && usable < Min));
    }
}
