namespace Puna.Training.Data.Altiplano;

/// <summary>Somebody keeps a secret, somebody notices, and it turns out to be kind.</summary>
internal sealed class SecretPlot : IPlot
{
    private static readonly (string Secret, string Sign, string Why, Terrain? Where)[] Secrets =
    [
        ("making a blanket", "had red and blue threads on the sleeves", "it was going to be a present", null),
        ("learning to read", "carried a small book under the coat", "there were old letters to be read aloud", null),
        ("feeding a hurt fox", "hid a bit of meat at every meal", "the fox had a broken leg", null),
        ("painting a picture on a wall", "had blue paint on both hands", "the village was going to get a surprise", Terrain.Building),
        ("building a small boat", "smelled of fresh wood", "there was going to be a trip across the lake", Terrain.Water),
        ("practising the flute", "disappeared every evening with a long bag", "there was going to be music at the next feast", null),
        ("planting a small garden", "came home with mud on both knees", "the old people were going to get flowers", null),
        ("teaching a puppy to guard the herd", "whistled in a strange way", "the herders needed help", null),
        ("saving coins in a clay pot", "did not buy sweets any more", "a sold llama had to be bought back", null),
        ("writing a song", "hummed the same tune all day", "it was going to be sung at a birthday", null),
    ];

    public string Name => "secret";

    public void Tell(Scene s)
    {
        (string secret, string sign, string why, Terrain? where) = s.Dice.Pick<(string, string, string, Terrain?)>(Secrets);
        s.Narrator.Bind("secret", new Word(secret));
        s.Narrator.Bind("sign", new Word(sign));
        s.Narrator.Bind("why", new Word(why));
        bool curious = s.Hero.Trait.Word is "curious" or "impatient" or "clever";
        Opening.Begin(s, curious, false, "[h] {noticed it first|was the first to notice}", "Somebody in [v] had a secret, and [h] {wanted to know it|felt it}", "\"{Something is going on|There is a secret in this village},\" thought [h]");
        Person other = s.Meet("f", s.Dice.Pick("*friend", "*brother", "*sister", "*cousin", "*neighbour"));
        s.OneOf("For some {days|weeks}, [f] had been {strange|different}", "Lately, [f] {never had time|came home late}", "There was something strange about [f.o]");
        s.OneOf("[f] [sign], and {nobody knew why|did not say why}", "[f] [sign] and {laughed|looked away} when somebody asked");
        s.Ask(QuestionKind.Who, "Who had a secret?", FactKind.Person, other.Name, "secret", other.Name);
        if (s.Dice.Chance(60))
        {
            s.Quote("h", s.Dice.Pick("What are you hiding?", "Where do you go every evening?", "Do you have a secret?"));
            s.Quote("f", s.Dice.Pick("You will see.", "It is nothing.", "I cannot tell you yet."), s.Dice.Pick("", "quickly"));
        }

        Place place = where is { } ground ? s.Somewhere("p", ground) : s.Somewhere("p", Terrain.Building, Terrain.Shelter, Terrain.Water);
        s.Paragraph();
        if (curious)
        {
            s.OneOf("[h] could not {stand it any longer|wait} and followed [f.o] {in secret|one evening} to [p]", "One evening, [h] {put on soft shoes|hid behind a wall} and followed [f.o] to [p]");
        }
        else
        {
            s.OneOf("[h] did not {want to spy|ask again}, but {by chance|one day, on an errand,} [h.he] came past [p]", "Then, by chance, [h] {had to go to|came to} [p]");
        }

        s.Ask(QuestionKind.Where, "At which place did [h.name] {find out the secret|learn the secret}?", FactKind.Place, "secret", "found out at", place.Name);
        s.OneOf("There [h] saw it: [f.n] was [secret]", place.Terrain switch { Terrain.Building => "{Through a crack in the wall|By the light of a candle}", Terrain.Water => "From behind a {bush|rock}", _ => "{From behind a bush|By the light of a candle}" } + ", [h] saw [f.n], who was [secret]");
        s.Ask(QuestionKind.What, "What was [f.n] doing in secret?", FactKind.Deed, other.Name, "secret deed", secret);
        if (s.Dice.Chance(50))
        {
            s.OneOf("A stone rolled, and [f] {turned around|looked up}", "[h] had to sneeze, and {that was the end of hiding|[f] jumped up}");
            s.Quote("f", s.Dice.Pick("Please do not tell anybody.", "Now you know. Can you keep a secret?", "It was meant to be a surprise."));
            s.OneOf("[h] promised to {be silent|say nothing}, and {kept the promise|from then on two people had a secret}", "\"{I will be as silent as a stone|Not a word},\" said [h.n]. \"{May I help?|Let me help you.}\"");
            s.OneOf("{From then on|After that}, they {worked on it together|met there every evening}", "Together {it went twice as fast|it was easier|they had more ideas|they laughed a lot}");
        }
        else
        {
            s.OneOf("[h] {smiled and went away on tiptoe|crept home without a sound}", "[h] was moved and {said nothing|went home quietly}");
            s.OneOf("It was hard to keep quiet, but [h] {told nobody|did not say a word, not even to the cat}", "{For two weeks|For many days}, [h] {kept quiet|acted as if nothing had happened}");
        }

        s.OneOf("{Ten days later|At the next full moon|At last|In the end}, everybody {heard the whole story|knew the reason}: [why]", "{When the day came|One Sunday|A month later}, the secret was told: [why]", "And the reason {for the secret|for it all}? {It was a kind one|It was simple|Nobody had guessed it}: [why]");
        s.Ask(QuestionKind.Why, "{What was the reason for the secret?|Why did [f.n] do it?}", FactKind.Cause, other.Name, "reason", why);
        s.Maybe(40, "{The whole of [v]|Everybody|The whole street} {was surprised|came to look|talked about it}");
        Ending.Close(s, "\"{A good secret is like bread in the oven,\" said [f.n]. \"You must not open the door too early|The best secrets want to be shared,\" said [f.n]. \"They only need a little time}.\"", "[f] {thanked [h.o] for the silence|winked at [h.o]}, and [h] winked back", "[h] {was glad to have kept quiet|had learned that not every secret is a bad one}");
    }
}
