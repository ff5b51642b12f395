namespace Puna.Training.Data.Altiplano;

/// <summary>A llama. Its pronoun is <c>it</c>, so that it is never taken for a person.</summary>
internal sealed class Llama : Referent
{
    public required string Name { get; init; }

    public required string Colour { get; init; }

    public required string Temper { get; init; }

    public bool Introduced { get; set; }

    /// <summary>Phrasing of the first mention.</summary>
    public string Introduction { get; set; } = "";

    /// <inheritdoc/>
    public override void Write(Narrator narrator, ReadOnlySpan<char> form)
    {
        switch (form)
        {
            case "":
            case "o":
                Refer(narrator, "it", false);
                return;
            case "p":
                Refer(narrator, "its", true);
                return;
            case "n":
                Refer(narrator, null, false);
                return;
            case "pn":
                Refer(narrator, null, true);
                return;
            case "name":
                narrator.Append(Name);
                break;
            case "colour":
                narrator.Append(Colour);
                break;
            case "temper":
                narrator.Append(Temper);
                break;
            default:
                throw Unknown(form);
        }

        LastSentence = narrator.Sentence;
    }

    private void Refer(Narrator narrator, string? pronoun, bool possessive)
    {
        if (!Introduced && !narrator.Plain)
        {
            Introduced = true;
            narrator.Expand(Introduction);
            if (possessive)
            {
                narrator.Append("'s");
            }
        }
        else if (pronoun is not null && narrator.MayUsePronoun(this))
        {
            narrator.Append(pronoun);
        }
        else if (pronoun is not null && narrator.MaySayTheLlama(this))
        {
            narrator.Append(possessive ? "the llama's" : "the llama");
        }
        else
        {
            narrator.Append(possessive ? English.Possessive(Name) : Name);
        }

        narrator.Mentioned(this);
    }
}
