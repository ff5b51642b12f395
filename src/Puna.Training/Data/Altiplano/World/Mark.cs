namespace Puna.Training.Data.Altiplano;

/// <summary>Stands in a phrasing for what the phrasing makes true (it is dark, a day was named): it writes nothing, and is set once it was told.</summary>
internal sealed class Mark : Referent
{
    public bool Set { get; set; }

    /// <inheritdoc/>
    public override void Write(Narrator narrator, ReadOnlySpan<char> form)
    {
        if (form.Length > 0)
        {
            throw Unknown(form);
        }

        Set |= !narrator.Plain;
    }
}
