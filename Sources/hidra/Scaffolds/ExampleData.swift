/// Messages to a shop that the scaffolds learn to sort; few, all different, all made up.
enum ExampleData {
    static let rows = """
        text\tlabel
        Where is my parcel?\tdelivery
        The order has still not arrived\tdelivery
        When will the courier come by?\tdelivery
        Tracking has said 'in transit' for a week\tdelivery
        The package was left at the wrong door\tdelivery
        Can you deliver on Saturday instead?\tdelivery
        My shipment seems to be lost in the post\tdelivery
        How long does shipping to Norway take?\tdelivery
        The driver did not ring, and left again\tdelivery
        Nothing came today, although it was promised\tdelivery
        The lamp does not switch on\tfault
        The screen stays black after the update\tfault
        It makes a loud noise and then stops\tfault
        The battery is empty within an hour\tfault
        One of the buttons is broken\tfault
        The speaker crackles at any volume\tfault
        The lid no longer closes\tfault
        It restarts by itself all the time\tfault
        The charger gets hot and smells burnt\tfault
        The app cannot find the device any more\tfault
        I would like my money back\trefund
        Please refund the second payment\trefund
        I was charged twice for one order\trefund
        How do I return this and get a refund?\trefund
        The amount on the invoice is too high\trefund
        You have not yet paid me back\trefund
        Cancel it and return what I paid\trefund
        The discount was not taken off the bill\trefund
        I sent it back a month ago; where is my money?\trefund
        Can the cost be credited to my account?\trefund

        """
}
