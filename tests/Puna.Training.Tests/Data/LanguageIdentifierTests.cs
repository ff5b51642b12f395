using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>How well languages are told apart, on sentences written for this test and not looked at when the word lists were.</summary>
public class LanguageIdentifierTests
{
    private static readonly Dictionary<string, string[]> _sentences = new()
    {
        ["en"] =
        [
            "The herd crossed the plateau before the first snow closed the pass.",
            "Nobody had told her that the bridge was only open in summer.",
            "We bought three blankets at the market and carried them home.",
            "If you listen closely, you can hear water under the stones.",
            "Their grandfather built this house with his own hands.",
            "It rained for two days, so the road turned into mud.",
            "Scientists measured how much oxygen the animals needed at that height.",
            "Please close the gate when you leave.",
            "She has never been to the coast, but she wants to see it.",
            "There was a small fire burning in front of every door.",
        ],
        ["es"] =
        [
            "El rebaño cruzó la meseta antes de que la nieve cerrara el paso.",
            "Nadie le había dicho que el puente solo abría en verano.",
            "Compramos tres mantas en el mercado y las llevamos a casa.",
            "Si escuchas con atención, se oye el agua bajo las piedras.",
            "Su abuelo construyó esta casa con sus propias manos.",
            "Llovió durante dos días y el camino se volvió barro.",
            "Los científicos midieron cuánto oxígeno necesitaban los animales.",
            "Por favor, cierra la puerta cuando te vayas.",
            "Nunca ha estado en la costa, pero quiere verla.",
            "Había una pequeña hoguera delante de cada puerta.",
        ],
        ["fr"] =
        [
            "Le troupeau a traversé le plateau avant que la neige ne ferme le col.",
            "Personne ne lui avait dit que le pont n'ouvrait qu'en été.",
            "Nous avons acheté trois couvertures au marché et les avons rapportées.",
            "Si vous écoutez bien, on entend l'eau sous les pierres.",
            "Leur grand-père a construit cette maison de ses propres mains.",
            "Il a plu pendant deux jours et la route est devenue boueuse.",
            "Les chercheurs ont mesuré l'oxygène dont les animaux avaient besoin.",
            "Fermez la porte en partant, s'il vous plaît.",
            "Elle n'est jamais allée sur la côte, mais elle veut la voir.",
            "Un petit feu brûlait devant chaque maison.",
        ],
        ["de"] =
        [
            "Die Herde überquerte die Hochebene, bevor der Schnee den Pass schloss.",
            "Niemand hatte ihr gesagt, dass die Brücke nur im Sommer offen ist.",
            "Wir kauften drei Decken auf dem Markt und trugen sie nach Hause.",
            "Wenn du genau hinhörst, hörst du das Wasser unter den Steinen.",
            "Ihr Großvater baute dieses Haus mit eigenen Händen.",
            "Es regnete zwei Tage lang, und der Weg wurde zu Schlamm.",
            "Die Forscher maßen, wie viel Sauerstoff die Tiere brauchten.",
            "Bitte schließen Sie das Tor, wenn Sie gehen.",
            "Sie war noch nie an der Küste, aber sie will sie sehen.",
            "Vor jeder Tür brannte ein kleines Feuer.",
        ],
        ["pt"] =
        [
            "O rebanho atravessou o planalto antes que a neve fechasse a passagem.",
            "Ninguém lhe tinha dito que a ponte só abria no verão.",
            "Comprámos três mantas no mercado e levámo-las para casa.",
            "Se escutares com atenção, ouves a água sob as pedras.",
            "O avô deles construiu esta casa com as próprias mãos.",
            "Choveu durante dois dias e o caminho virou lama.",
            "Os cientistas mediram quanto oxigénio os animais precisavam.",
            "Por favor, feche o portão quando sair.",
            "Ela nunca esteve no litoral, mas quer vê-lo.",
            "Havia uma pequena fogueira em frente de cada porta.",
        ],
        ["it"] =
        [
            "Il gregge attraversò l'altopiano prima che la neve chiudesse il passo.",
            "Nessuno le aveva detto che il ponte era aperto solo d'estate.",
            "Abbiamo comprato tre coperte al mercato e le abbiamo portate a casa.",
            "Se ascolti bene, si sente l'acqua sotto le pietre.",
            "Il loro nonno ha costruito questa casa con le proprie mani.",
            "È piovuto per due giorni e la strada è diventata fango.",
            "Gli scienziati hanno misurato quanto ossigeno serviva agli animali.",
            "Per favore, chiudi il cancello quando esci.",
            "Non è mai stata sulla costa, ma vuole vederla.",
            "Davanti a ogni porta ardeva un piccolo fuoco.",
        ],
        ["und"] =
        [
            "Стадо перешло плато до первого снега.",
            "群れは最初の雪の前に高原を越えた。",
            "Το κοπάδι πέρασε το οροπέδιο πριν από το χιόνι.",
            "고원을 건너는 무리가 있었다.",
            "عبر القطيع الهضبة قبل الثلج الأول.",
            "Stado przeszło przez płaskowyż przed pierwszym śniegiem.",
            "A csorda átkelt a fennsíkon az első hó előtt.",
            "Lauma ylitti ylängön ennen ensimmäistä lunta.",
            "int main(void) { return 0; }",
            "12345 67890 --- +++",
        ],
    };

    [Fact]
    public void SentencesOfTheSixLanguages()
    {
        int right = 0, wrong = 0, all = 0;
        foreach ((string language, string[] sentences) in _sentences)
        {
            foreach (string sentence in sentences)
            {
                string got = LanguageIdentifier.Identify(sentence);
                all++;
                right += got == language ? 1 : 0;
                wrong += got != language && got != LanguageIdentifier.Unknown ? 1 : 0;
                if (got != language)
                {
                    TestContext.Current.TestOutputHelper?.WriteLine($"{language} taken for {got}: {sentence}");
                }
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{right} of {all} right, {wrong} taken for another language");
        Assert.InRange(right, 60, all);
        Assert.InRange(wrong, 0, 3);
    }

    [Fact]
    public void ParagraphsOfTenSentencesAreAllRight() =>
        Assert.All(_sentences.Where(s => s.Key != "und"), s => Assert.Equal(s.Key, LanguageIdentifier.Identify(string.Join(' ', s.Value))));

    [Theory]
    [InlineData("")]
    [InlineData("...")]
    [InlineData("🦙🦙🦙")]
    public void NothingIsClaimedOfNothing(string text) => Assert.Equal(LanguageIdentifier.Unknown, LanguageIdentifier.Identify(text));

    [Fact]
    public void EveryLanguageHasEightStopWordsOfItsOwn() =>
        Assert.All(LanguageIdentifier.Languages, l => Assert.Equal(8, LanguageIdentifier.StopWords(l).Distinct().Count()));
}
