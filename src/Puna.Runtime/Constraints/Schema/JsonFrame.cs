using System.Numerics;
using System.Runtime.CompilerServices;
using Puna.Runtime.Constraints.Machines;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>An open array or object.</summary>
internal sealed class JsonFrame : Frame
{
    public JsonFrame(Frame? parent, ArrayShape array, int count)
        : base(parent)
    {
        Array = array;
        Count = count;
        Hash = HashCode.Combine(parent?.Hash, RuntimeHelpers.GetHashCode(array), count);
    }

    public JsonFrame(Frame? parent, ObjectShape shape, int count, ulong[] seen, string[] extras)
        : base(parent)
    {
        Object = shape;
        Count = count;
        Seen = seen;
        Extras = extras;
        var hash = default(HashCode);
        hash.Add(parent?.Hash);
        hash.Add(RuntimeHelpers.GetHashCode(shape));
        hash.Add(count);
        foreach (ulong word in seen)
        {
            hash.Add(word);
        }

        foreach (string extra in extras)
        {
            hash.Add(extra);
        }

        Hash = hash.ToHashCode();
        int missing = 0;
        for (int w = 0; w < seen.Length; w++)
        {
            missing += BitOperations.PopCount(shape.Required[w] & ~seen[w]);
        }

        // Where the room left is just enough for the required properties, nothing else may be added.
        int room = shape.Max is { } max ? max - count - missing : int.MaxValue;
        Names = new ulong[seen.Length];
        AnyName = false;
        for (int w = 0; w < seen.Length; w++)
        {
            Names[w] = shape.Usable[w] & ~seen[w] & (room > 0 ? ulong.MaxValue : shape.Required[w]);
            AnyName |= Names[w] != 0;
        }

        ExtrasAllowed = room > 0 && shape.AnyExtra;
        Complete = missing == 0 && count >= shape.Min && DependenciesHold(shape, seen);
    }

    public ArrayShape? Array { get; }

    public ObjectShape? Object { get; }

    /// <summary>Items or properties begun, up to the greatest count that makes a difference.</summary>
    public int Count { get; }

    /// <summary>Named properties that have occurred.</summary>
    public ulong[] Seen { get; } = [];

    /// <summary>Other names that have occurred.</summary>
    public string[] Extras { get; } = [];

    /// <summary>Named properties that may come next.</summary>
    public ulong[] Names { get; } = [];

    public bool AnyName { get; }

    public bool ExtrasAllowed { get; }

    /// <summary>Whether the object may end here.</summary>
    public bool Complete { get; }

    public override int Bytes => 104 + (Object is null ? 0 : 48 + (2 * sizeof(ulong) * Names.Length) + (8 * Extras.Length));

    public bool MayFollow => Array is { } array ? array.MayFollow(Count) : AnyName || ExtrasAllowed;

    public bool MayClose => Array is { } array ? Count >= array.Min : Complete;

    public JsonFrame NextItem() => new(Parent, Array!, Math.Min(Count + 1, Array!.CountCap));

    public JsonFrame WithKey(int keyClass, string? extra)
    {
        ulong[] seen = Seen;
        string[] extras = Extras;
        if (keyClass < Object!.Named.Length)
        {
            seen = (ulong[])seen.Clone();
            seen[keyClass >> 6] |= 1UL << (keyClass & 63);
        }
        else if (extra is not null)
        {
            extras = [.. extras, extra];
        }

        return new(Parent, Object, Math.Min(Count + 1, Object.CountCap), seen, extras);
    }

    protected override bool SameTop(Frame other) =>
        other is JsonFrame frame && ReferenceEquals(Array, frame.Array) && ReferenceEquals(Object, frame.Object) && Count == frame.Count
        && Seen.AsSpan().SequenceEqual(frame.Seen) && Extras.AsSpan().SequenceEqual(frame.Extras);

    private static bool DependenciesHold(ObjectShape shape, ulong[] seen)
    {
        foreach ((int trigger, ulong[] needed) in shape.Dependent)
        {
            for (int w = 0; ObjectShape.Has(seen, trigger) && w < seen.Length; w++)
            {
                if ((needed[w] & ~seen[w]) != 0)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
