namespace Puna.Runtime.Constraints.Schema;

/// <summary>Arrays: the first items by position, the others alike.</summary>
internal sealed class ArrayShape(SchemaNode[] prefix, SchemaNode rest, int min, int? max)
{
    public int Min { get; } = min;

    public int? Max { get; } = max;

    public SchemaNode[] Prefix { get; } = prefix;

    public SchemaNode Rest { get; } = rest;

    /// <summary>Counts beyond this one make no difference.</summary>
    public int CountCap { get; } = Math.Max(prefix.Length, Math.Max(min, max ?? 0));

    public SchemaNode Item(int index) => index < Prefix.Length ? Prefix[index] : Rest;

    /// <summary>Whether an item may follow after so many.</summary>
    public bool MayFollow(int count) => (Max is null || count < Max) && Item(count).Possible;

    /// <summary>Whether an array of at least Min items exists.</summary>
    public bool IsPossible
    {
        get
        {
            if (Min > Max)
            {
                return false;
            }

            for (int i = 0; i < Math.Min(Min, Prefix.Length + 1); i++)
            {
                if (!Item(i).Possible)
                {
                    return false;
                }
            }

            return true;
        }
    }
}
