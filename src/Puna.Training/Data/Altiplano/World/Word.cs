namespace Puna.Training.Data.Altiplano;

/// <summary>A phrase that a phrasing names by a key: a thing, a cause, a time.</summary>
internal sealed class Word(string text) : Referent
{
    public string Text => text;

    /// <inheritdoc/>
    public override void Write(Narrator narrator, ReadOnlySpan<char> form)
    {
        switch (form)
        {
            case "":
                narrator.Expand(text);
                break;
            case "an":
                narrator.Append("a ");
                narrator.Expand(text);
                break;
            default:
                throw Unknown(form);
        }
    }
}
