namespace Puna.Training.Data.Altiplano;

/// <summary>A number of some good.</summary>
internal sealed class Stock(Good good, int count) : Referent
{
    public Good Good => good;

    public int Count => count;

    public string Text(bool digits) => English.Number(count, digits) + " " + (count == 1 ? good.One : good.Many);

    /// <inheritdoc/>
    public override void Write(Narrator narrator, ReadOnlySpan<char> form)
    {
        switch (form)
        {
            case "":
                narrator.Append(Text(narrator.Digits));
                break;
            case "count":
                narrator.Append(English.Number(count, narrator.Digits));
                break;
            case "unit":
                narrator.Append(count == 1 ? good.One : good.Many);
                break;
            case "one":
                narrator.Append(good.One);
                break;
            case "many":
                narrator.Append(good.Many);
                break;
            case "kind":
                narrator.Append(good.Kind);
                break;
            case "kindwas":
                narrator.Append(good.Mass ? "was" : "were");
                break;
            case "kindit":
                narrator.Append(good.Mass ? "it" : "them");
                break;
            case "was":
                narrator.Append(count == 1 ? "was" : "were");
                break;
            case "it":
                narrator.Append(count == 1 ? "it" : "them");
                break;
            default:
                throw Unknown(form);
        }

        LastSentence = narrator.Sentence;
    }
}
