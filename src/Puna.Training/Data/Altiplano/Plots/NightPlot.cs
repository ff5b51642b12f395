namespace Puna.Training.Data.Altiplano;

/// <summary>Something strange in the night: a light, a sound, a shadow. There is a plain reason for it, and finding it takes courage.</summary>
internal sealed class NightPlot : IPlot
{
    private static readonly (string Sign, string Fear, string Truth, Terrain? Where)[] Nights =
    [
        ("a strange light", "a ghost", "a herder looking for a lost lamb with a lamp", null),
        ("a low moan", "a mountain spirit", "the wind in an empty jar", null),
        ("a slow knocking", "a robber", "a loose shutter", Terrain.Building),
        ("a pair of shining eyes", "a puma", "an old goat with a torn rope", null),
        ("a white shadow", "a ghost", "a blanket that had blown off a line", null),
        ("a soft song", "a water spirit", "a girl who was practising for the festival", Terrain.Water),
        ("a scratching at the wall", "a monster", "a hungry guinea pig", Terrain.Building),
        ("a loud splash", "a water monster", "a fisher who was throwing out his net", Terrain.Water),
        ("a red glow", "a fire", "a shepherd who was roasting potatoes", null),
        ("a bell that nobody rang", "the dead", "a young llama that had pulled the rope with its teeth", Terrain.Building),
    ];

    public string Name => "strange night";

    public void Tell(Scene s)
    {
        (string sign, string fear, string truth, Terrain? where) = s.Dice.Pick<(string, string, string, Terrain?)>(Nights);
        s.Narrator.Bind("sign", new Word(sign));
        s.Narrator.Bind("thesign", new Word(string.Concat("the", sign.AsSpan(1))));
        s.Narrator.Bind("fear", new Word(fear));
        s.Narrator.Bind("truth", new Word(truth));
        bool brave = s.Hero.Trait.Word is "brave" or "curious" or "stubborn";
        bool llama = s.Dice.Chance(40);
        if (llama)
        {
            s.HaveLlama();
        }

        bool began = Opening.Begin(s, brave || s.Hero.Trait.Word == "shy", false, "[dark]{One night|In the middle of the night}, [h] {woke up|could not sleep|sat up in bed}", "[h] did not believe in ghosts", "[dark]\"Did you hear that?\" {whispered|asked} [h]", "[dark]The night was {dark|very quiet|without a moon}, and [h] {was wide awake|lay under three blankets}");
        Place place = where is { } ground ? s.Somewhere("p", ground) : s.Somewhere("p");
        bool loud = sign is "a low moan" or "a slow knocking" or "a loud splash" or "a bell that nobody rang", night = began && s.Dark;
        Person friend = s.Dice.Chance(50) ? s.Meet("f", s.Dice.Pick("*brother", "*sister", "*friend", "*cousin")) : s.Kin("f");
        s.OneOf("{For three nights|Every night that week}, there had been [sign] near [p]", "[onenight], there was [sign] near [p]", night ? "It was [sign], and it came from [p]" : "When it got dark, there was [sign] near [p]");
        s.Ask(QuestionKind.Where, "Near which place was [thesign]?", FactKind.Place, sign, "near", place.Name);
        s.OneOf("\"It is [fear],\" whispered [f]", "[f] was sure that it was [fear]", night ? "[f] {thought|believed} that it was [fear]" : "{People in [v]|The neighbours} said it was [fear], and [f] {believed it|nodded}");
        s.Ask(QuestionKind.What, "What did [f.n] {think|believe} it was?", FactKind.Cause, friend.Known, "feared", fear);
        s.OneOf(brave ? "[h] was {not afraid|too [h.trait] to stay in bed}" : "[h.p] knees were {soft|shaking}", "[h] {wanted to know|had to know}", (loud ? "\"Ghosts do not make so much noise" : "\"There is a reason for everything") + ",\" said [h.n]");
        s.Paragraph();
        if (!night)
        {
            s.Say("{At midnight|When everybody was asleep|That night}, [h] got up");
        }

        s.Do("h", "{took a lamp|lit a candle|put on a coat}", "{opened the door|stepped out into the dark}", "walked {slowly |quietly |}to [p]");
        s.Maybe(65, llama ? "[L.n] {came along, and that was a comfort|lifted its head and hummed|was not afraid at all}" : "[f] {followed ten steps behind|held on to [h.p] sleeve|waited at the door}");
        s.OneOf((s.World.Weather is Weather.Sun or Weather.Wind or Weather.Frost ? "{The stars were bright|It was very cold}" : "It was very {cold|dark}") + ", and {every stone looked like an animal|every step was loud}", "An owl {called|flew up}, and [h] {nearly dropped the light|stood still}", "[h] {counted the steps to stay calm|whistled softly|thought of warm bread to stay brave|held the lamp with both hands}");
        s.OneOf("[thesign] {came closer and closer|grew stronger with every step}. Then [h] {saw|understood} what it was: [truth]", "{At the last corner|Behind the last rock}, [h] {held up the light|looked carefully}, and there it was: [truth]", "{And what was it?|And the terrible thing?|So what had it been?} It was only [truth]", "{There, in the dark|At last}, [h] {came near enough to see it|lifted the lamp}. It was [truth]");
        s.Ask(QuestionKind.What, "What was [thesign] in truth?", FactKind.Cause, sign, "in truth", truth);
        s.OneOf("[h] had to {laugh so loudly that half the village woke up|sit down and laugh}", "[h] {breathed out|smiled} and went {back|home}", "\"{So much fear for so little|That was all},\" said [h.n] and {laughed|shook [h.his] head}");
        s.Maybe(55, "[f] {laughed too, but only a little|did not believe it until [f.he] had seen it|was a little ashamed}");
        s.Late = true;
        Ending.Close(s, "{After that|From then on}, nobody in [v] spoke of it without laughing", "\"{The dark is only the day with its eyes closed|Most ghosts disappear when you go up to them},\" said [h.n]", "{They|The two of them} drank {warm milk|hot tea} and {slept until noon|slept well}");
    }
}
