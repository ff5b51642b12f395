namespace Puna.Training.Data.Altiplano;

/// <summary>Somewhere in the world.</summary>
/// <param name="name">With its article where it has one: <c>the lake</c>, <c>Quilla</c>.</param>
/// <param name="at">The preposition of being there.</param>
/// <param name="terrain">What kind of ground it is; decides what can happen there.</param>
internal sealed class Place(string name, string at, Terrain terrain) : Referent
{
    public string Name => name;

    public string At => at + " " + name;

    public Terrain Terrain => terrain;

    /// <summary>Hours on foot from home.</summary>
    public int Hours { get; set; } = 1;

    /// <inheritdoc/>
    public override void Write(Narrator narrator, ReadOnlySpan<char> form)
    {
        switch (form)
        {
            case "":
                narrator.Append(name);
                break;
            case "at":
                narrator.Append(At);
                break;
            case "hours":
                narrator.Append(Hours == 1 ? "an hour" : English.Number(Hours, narrator.Digits) + " hours");
                break;
            default:
                throw Unknown(form);
        }

        LastSentence = narrator.Sentence;
    }
}
