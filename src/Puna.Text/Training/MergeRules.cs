namespace Puna.Text.Training;

/// <summary>What the kinds of byte pair encoding differ in. Symbols are numbered: first those that words are spelled in, then each that merging makes.</summary>
internal abstract class MergeRules
{
    /// <summary>Whether two neighbours may become one symbol.</summary>
    public abstract bool Allows(int left, int right);

    /// <summary>Of two pairs that occur equally often the one with the lesser key is merged.</summary>
    public abstract ulong Key(int left, int right);

    /// <summary>Decides between pairs whose keys are equal; negative where the first is merged.</summary>
    public abstract int Compare((int Left, int Right) first, (int Left, int Right) second);

    /// <summary>The symbol a pair becomes: the next number, a lower one where it is made already (merged, but not counted), or -1 where the pair is given up.</summary>
    public abstract int Join(int left, int right);
}
