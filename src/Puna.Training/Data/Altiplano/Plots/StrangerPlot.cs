namespace Puna.Training.Data.Altiplano;

/// <summary>A stranger comes to the village. People are afraid; the stranger has a gift or a need.</summary>
internal sealed class StrangerPlot : IPlot
{
    public string Name => "stranger";

    public void Tell(Scene s)
    {
        Opening.Begin(s, s.Hero.Trait.Word is "shy" or "generous" or "curious", s.Bad, "[h] saw somebody on the road to [v]{| and put down the bucket}[day]", "[day][h] was the first to see the stranger", "[day]A stranger came to [v] {one evening|at noon}, and [h] {watched|was standing at the well}");
        Person stranger = s.Meet("f", s.Dice.Pick("stranger", "traveller", "musician", "map maker", "storyteller", "clock maker"));
        string carried = s.Bind("x", "a big black box", "a white bird in a cage", "a long roll of paper", "a bag full of books", "a strange round drum", "a wide hat and a long stick", "a bag of seeds");
        s.OneOf("{[oneday]|[oneevening]}, [f] came into the village with [x]", "Along the road came [f], who {carried|had} [x]", "[f] {arrived|stood in the square} with [x] and {asked for a bed|looked around}");
        s.Ask(QuestionKind.What, "What did [f.n] {have|bring}?", FactKind.Owns, stranger.Name, "carried", carried);
        s.OneOf("{Nobody knew [f.o]|People closed their doors}, and {the dogs barked|the children hid}", "\"{We do not know you|There is no room here},\" said {the first neighbour|people}, and one door after another closed", "{Some people|A few old men|The neighbours} whispered that {strangers brought bad luck|nobody came to [v] without a reason|strangers ate much and worked little|such people were never honest}");
        if (s.Hero.Trait.Word is "shy")
        {
            s.OneOf("[h] was shy, but {opened the door|nodded and moved over on the bench}", "[h] did not say much, but {put a second bowl on the table|pointed to the warm place by the fire}");
        }
        else
        {
            s.Quote("h", s.Dice.Pick("You can sleep at our house.", "Come in, the soup is hot.", "There is always a place by our fire."));
        }

        s.OneOf("{So|That night,} [f] {slept in [h.p] barn|ate with [h.p] family}", "[h] gave [f.o] {soup and a blanket|bread, cheese and a place by the fire}");
        s.Ask(QuestionKind.Who, "Who {was kind to [f.n]|helped [f.n]}?", FactKind.Deed, "[h.name]", "hosted", "[h.name]");
        s.Paragraph();
        string deed;
        switch (s.Dice.Below(5))
        {
            case 0:
                deed = s.Bind("deed", "told a story about the sea", "told stories about cities far away", "told of ships and islands");
                s.OneOf("After supper, [f] [deed], and {nobody wanted to go to bed|even the cat listened}", "[f] [deed], {and one neighbour after another came in to listen|and soon the house was full of people}");
                break;
            case 1:
                deed = s.Bind("deed", "repaired the old clock of the chapel", "repaired the pump of the well", "mended the roof of the school");
                s.OneOf("The next day, [f] [deed], {which had been broken for years|which nobody had been able to do}", "{To say thanks|As thanks}, [f] [deed]");
                break;
            case 2:
                deed = s.Bind("deed", "played music on the square", "sang a song in a strange language", "played a sad and beautiful song");
                s.OneOf("In the morning, [f] [deed], {and people came to their windows|and people came out of their houses}", "Then [f] [deed], and {nobody was afraid any more|the children came out first}");
                break;
            case 3:
                deed = s.Bind("deed", "showed the farmers a better way to dry potatoes", "taught the children to read the stars", "taught everybody a new dance", "showed the potter a blue colour");
                s.OneOf("{During the next days|In the days that followed}, [f] [deed]", "[f] stayed for {three|four|five} days and [deed]");
                break;
            default:
                deed = s.Bind("deed", "found a lost child in the hills", "put out a fire in the barn", "pulled a boy out of the river", "drove away a puma");
                s.OneOf("{In the night|The next day}, there was {shouting|trouble}, and it was [f] who [deed]", "Two days later, [f] [deed], {and all of [v] spoke of it|all alone}");
                break;
        }

        s.Ask(QuestionKind.What, "What did [f.n] do for the {village|people}?", FactKind.Deed, stranger.Name, "deed", deed);
        s.OneOf("{Now|Suddenly}, everybody wanted to {invite [f.o]|shake the stranger's hand}", "The people of [v] were {a little ashamed|surprised}, and {brought cheese and eggs|opened their doors}", "{The baker|An old weaver|The teacher|The miller} {was the first to say sorry|invited [f.o] to supper|brought a warm coat}", "{Even the most careful neighbour|The oldest woman in the village} {came to say sorry|brought a cake}");
        s.OneOf("When it was time to leave, [f.n] gave [h.o] {a small map|a white feather|a blue stone|a tin whistle}", "[f] {left|went on} a week later, {and the whole village waved|but promised to come back}");
        Ending.Close(s, "\"A stranger is a friend whose name you do not know yet,\" [h] {said|thought}", "{After that|From then on}, no door in [v] stayed closed when somebody knocked", "[h] {looked down the road for a long time|often thought of [f.o] after that}");
    }
}
